"""Prove with a few probes for each directory that bytecode is ignored, whatever a module is called.

# hot path: see tests/test_budgets.py

Git is asked about an invented module in each directory. Its answer holds for every other name if the
rule that decides fits any name, and if no later rule can re-include one of them. Where that cannot be
shown, `proof.find_unignored` asks about every module.
"""

from __future__ import annotations

from pycache_guard.bytecode.probes import SUFFIXES, UNTRACKED_DIR, UNTRACKED_MODULE, probe_paths
from pycache_guard.git.check_ignore import BATCH_PROBES, IsolatedIgnoreRules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping, Sequence

    from pycache_guard.bytecode.probes import ProbeChoice
    from pycache_guard.git.index import Index
    from pycache_guard.git.process import Git

#: Extensions, in lower case, of the files that are Python by their name (identify).
PYTHON_EXTENSIONS = frozenset({b"gyp", b"gypi", b"py", b"pyt", b"pyw", b"tac", b"wsgi"})
#: Parts of the other names of Python files.
PYTHON_NAMES = (b"wscript", b".pdbrc")
#: Extensions of executable files that are not Python, whatever their first line is (identify).
OTHER_EXTENSIONS = frozenset(
    {b"bash", b"bat", b"csh", b"exe", b"fish", b"go", b"jar", b"js", b"json", b"lua"}
    | {
        b"md",
        b"mjs",
        b"php",
        b"pl",
        b"pm",
        b"png",
        b"ps1",
        b"rb",
        b"rs",
        b"sh",
        b"so",
        b"ts",
        b"txt",
    }
    | {b"xml", b"yaml", b"yml", b"zsh"}
)
#: More files than this are read from git by one process.
MAX_FILES_ON_DISK = 32


class FastProof:
    """What was proven."""

    def __init__(self, directories: int, advised: tuple[str, ...]) -> None:
        #: The number of directories checked, including the top and one that does not exist.
        self.directories = directories
        #: The advised probes that are not ignored everywhere.
        self.advised = advised


def prove_ignored(
    index: Index, listing: Git, choose: Callable[[], ProbeChoice]
) -> FastProof | None:
    """Return a proof that the rules in the index ignore the required probes, or None without one.

    `listing` is the running `index.list_entries()`; `choose` reads the configuration when it has ended.
    None is no finding: it can be that more must be asked. Raises `Failure` if the index or a file in it
    cannot be read.
    """
    with IsolatedIgnoreRules({}) as ignoring:
        # Both processes run while the rest is imported.
        ignoring.start()
        from pycache_guard.git.listing import iter_entry_blocks
        from pycache_guard.scan import CONFIGURATION

        listed = ListedFiles()
        for block in iter_entry_blocks(listing):
            listed.add(block)
        listed.find_scripts()
        if CONFIGURATION.encode("ascii") not in listed.at_top:
            index.absent.add(CONFIGURATION)
        probes = choose()
        contents = read_contents({**listed.ignore_files, **listed.attributes}, index.directory())
        if any(b"working-tree-encoding" in contents[each] for each in listed.attributes.values()):
            return None
        rules = {path: contents[blob] for path, blob in listed.ignore_files.items()}
        ignoring.add(rules)
        places = dict.fromkeys((b"", UNTRACKED_DIR, *sorted(listed.directories)))
        kinds = (*probes.required, *probes.advised)
        unproven = find_unproven(ignoring, rules, [*places], kinds)
    if any(unproven[kind] for kind in probes.required):
        return None
    advised = tuple(kind for kind in probes.advised if any(unproven[kind].values()))
    if any(unproven[kind] for kind in probes.advised if kind not in advised):
        return None
    return FastProof(len(places), advised)


class ListedFiles:
    """The directories with Python files, and the ignore files, of a listing."""

    def __init__(self) -> None:
        self.directories: set[bytes] = set()
        #: Blob by path.
        self.ignore_files: dict[bytes, str] = {}
        self.attributes: dict[bytes, str] = {}
        #: Some of the files at the top.
        self.at_top: set[bytes] = set()
        #: Records that are Python if identify, or their first line, says so.
        self._doubtful: list[bytes] = []

    def add(self, block: bytes) -> None:
        """Sort the records of a block."""
        records = block.split(b"\0")
        del records[-1]
        python = [record for record in records if record.endswith(b".py")]
        self.directories.update(
            [record.partition(b"\t")[2].rpartition(b"/")[0] for record in python]
        )
        if len(python) < len(records):
            for record in records:
                if not record.endswith(b".py"):
                    self._add_other(record)

    def _add_other(self, record: bytes) -> None:
        head, _, path = record.partition(b"\t")
        name = path.rpartition(b"/")[2]
        extension = name.rpartition(b".")[2].lower()
        if name == b".gitignore":
            if head.startswith(b"100"):
                self.ignore_files[path] = blob_of(head)
        elif name == b".gitattributes":
            if head.startswith(b"100"):
                self.attributes[path] = blob_of(head)
        elif extension == b"toml":
            self.at_top.add(path)
        elif (
            extension in PYTHON_EXTENSIONS
            or any(part in name for part in PYTHON_NAMES)
            or (head.startswith(b"100755") and extension not in OTHER_EXTENSIONS)
        ):
            self._doubtful.append(record)

    def find_scripts(self) -> None:
        """Add the directories whose only Python files have other names than `NAME.py`."""
        doubtful = [
            record
            for record in self._doubtful
            if record.partition(b"\t")[2].rpartition(b"/")[0] not in self.directories
        ]
        if doubtful:
            from pycache_guard.gitignore.project import ProjectReader

            reader = ProjectReader()
            for record in doubtful:
                head, _, path = record.partition(b"\t")
                reader.add(head, path)
            self.directories.update(reader.build().modules)


def blob_of(head: bytes) -> str:
    """Return the object id of `MODE ID STAGE`."""
    return head.split(b" ")[1].decode("ascii")


def read_contents(blobs: Mapping[bytes, str], top: str) -> dict[str, bytes]:
    """Return the content of blobs, given by path. Raises `GitFailure` for a missing one.

    A file on disk is read instead if its object id proves that it has this content, which costs no
    process.
    """
    import os

    found: dict[str, bytes] = {}
    if len(blobs) <= MAX_FILES_ON_DISK:
        for path, blob in blobs.items():
            data = read_if_identical(os.path.join(top, os.fsdecode(path)), blob)
            if data is not None:
                found[blob] = data
    paths = {blob: path for path, blob in blobs.items() if blob not in found}
    if paths:
        from pycache_guard.git.objects import read_blobs

        found.update(read_blobs(paths, lambda blob: os.fsdecode(paths[blob])))
    return found


def read_if_identical(path: str, blob: str) -> bytes | None:
    """Return the content of the file at `path` if its object id is `blob`, else None.

    Git refuses to store one of two contents that were made to have the same SHA-1 (sha1dc).
    """
    from pycache_guard.fs.regular import read_small_file

    try:
        # hashlib loads OpenSSL, which takes 3 ms.
        from _sha1 import sha1  # type: ignore[import-not-found]

        data = read_small_file(path)
    except (ImportError, OSError, ValueError):  # another Python; not a file; a large one
        return None
    return data if sha1(b"blob %d\0" % len(data) + data).hexdigest() == blob else None


def find_unproven(
    ignoring: IsolatedIgnoreRules,
    rules: Mapping[bytes, bytes],
    directories: Sequence[bytes],
    kinds: Iterable[str],
) -> dict[str, dict[bytes, bool]]:
    """Return by probe the directories in which it is not proven to be ignored for every module.

    The value of a directory is whether the probe of the invented module is not ignored there.
    """
    asked = [
        (kind, directory, suffix, path)
        for directory in directories
        for kind in kinds
        for suffix, path in zip(
            SUFFIXES[kind], probe_paths(kind, directory, UNTRACKED_MODULE), strict=True
        )
    ]
    unproven: dict[str, dict[bytes, bool]] = {kind: {} for kind in kinds}
    risky = [file.rpartition(b"/")[0] for file, text in rules.items() if may_reinclude_a_name(text)]
    doubtful = {d for d in directories if risky and has_rules_from(d, {*risky})}
    # A directory with the name of the invented module matches patterns that no file matches.
    is_misled = any(b"/" + UNTRACKED_MODULE in b"/" + file for file in rules)
    for start in range(0, len(asked), BATCH_PROBES):
        batch = asked[start : start + BATCH_PROBES]
        answers = ignoring.rules([path for _, _, _, path in batch])
        for (kind, directory, suffix, _), (_, _, pattern) in zip(batch, answers, strict=True):
            if not pattern or pattern.startswith(b"!"):
                unproven[kind][directory] = True
            elif is_misled or not (
                matches_directory(pattern)
                or (directory not in doubtful and fits_every_name(pattern, suffix))
            ):
                unproven[kind].setdefault(directory, False)
    return unproven


def has_rules_from(directory: bytes, files: Container[bytes]) -> bool:
    """Return whether ignore files in one of the directories `files` concern caches in `directory`."""
    below = directory + b"/__pycache__" if directory else b"__pycache__"
    while below:
        if below in files:
            return True
        below = below.rpartition(b"/")[0]
    return b"" in files


def matches_directory(pattern: bytes) -> bool:
    """Return whether a pattern that matched a file with another name can only match a directory above.

    That is so if it ends with a slash or with the directory name `__pycache__`. No file below can then
    be re-included (gitignore(5)).
    """
    if pattern.startswith(b"!"):
        return False
    return pattern.endswith(b"/") or pattern.rpartition(b"/")[2] == b"__pycache__"


def fits_every_name(pattern: bytes, suffix: bytes) -> bool:
    """Return whether a pattern that matched a file `NAME` + `suffix` matches it with any `NAME`.

    The last part of the pattern decides about the name of the file (wildmatch.c). It must be `*`, then
    what can only match within the suffix.
    """
    last = pattern.rpartition(b"/")[2]
    if last in (b"*", b"**"):
        return True
    if not last.startswith(b"*"):
        return False
    rest = last[1:]
    if rest.endswith(b"*"):
        return not has_special(rest[:-1]) and rest[:-1] in suffix
    before, bracket, after = rest.partition(b"[")
    if bracket:
        characters, _, after = after.partition(b"]")
        if not characters.isalnum():
            return False
    if has_special(before.replace(b"?", b"")) or has_special(after.replace(b"?", b"")):
        return False
    return len(before) + len(bracket) + len(after) <= len(suffix)


def has_special(text: bytes) -> bool:
    r"""Return whether a text has one of `*?[]\`."""
    return len(text.translate(None, SPECIAL)) < len(text)


#: The characters that are special in a pattern (gitignore(5)).
SPECIAL = b"*?[]\\"
EVERY_SUFFIX = tuple(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)


def may_reinclude_a_name(content: bytes) -> bool:
    """Return whether an ignore file may re-include a probe of some module and not that of another.

    False is certain: each line with `!` names a directory, or files whose names end otherwise.
    """
    if b"!" not in content:
        return False
    if b"\0" in content:  # for git the line ends there
        return True
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    return any(_may_reinclude_a_name(line) for line in lines if line.startswith(b"!"))


def _may_reinclude_a_name(line: bytes) -> bool:
    pattern = line.rstrip(b" \t\r").lower()
    if b"\\" in pattern:
        return True
    if pattern.endswith(b"/"):
        return False
    name = pattern.lstrip(b"!").rpartition(b"/")[2]
    end = name
    for character in (b"*", b"?", b"[", b"]"):
        end = end.rpartition(character)[2]
    if end == name:  # the name of one file
        return end.endswith(EVERY_SUFFIX)
    return any(suffix.endswith(end) or end.endswith(suffix) for suffix in EVERY_SUFFIX)
