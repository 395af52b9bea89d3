"""Decide for each module of a bundle whether the target uses its bytecode: the rules of import.

Source: CPython `Lib/importlib/_bootstrap_external.py`, `FileFinder.find_spec` (which file a name
leads to), `SourceLoader.get_code` (whether a cache is used, and whether one is written),
`SourcelessFileLoader.get_code`; the same from 3.7 to 3.15.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.bundle.tree import EXTENSIONS
from pycache_guard.bytecode.cache_names import CACHE, is_tag, parse_cache_name
from pycache_guard.bytecode.freshness import Freshness, check_freshness, would_import
from pycache_guard.bytecode.header import InvalidHeader, SourceHash, Timestamp, parse_header
from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.errors import Failure
from pycache_guard.findings import Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pycache_guard.bundle.target import Target
    from pycache_guard.bundle.tree import BundleTree, Folder
    from pycache_guard.bytecode.freshness import Source
    from pycache_guard.bytecode.header import Header
    from pycache_guard.bytecode.magic import Magic

    #: Returns the hash of a source, as `source_hash` does.
    Digest = Callable[[bytes, Magic], bytes | None]

#: marshal's TYPE_CODE, without and with FLAG_REF: with what the code of a module begins.
_CODE_TYPES = b"c\xe3"
#: No code object is shorter: 3.7 has 5 integers and 9 objects of at least 1 byte after the type.
_SHORTEST_CODE_BYTES = 30


class State(Enum):
    """What the target does with the bytecode of a module."""

    USED = "used"
    NEVER_USED = "never-used"
    MISSING = "missing"


class ModuleVerdict(NamedTuple):
    """One module of a bundle."""

    #: Of the source, or of the bytecode if there is no source.
    path: str
    state: State
    #: None if the module has none.
    bytecode: str | None = None
    #: `time`, `size`, `hash`, `magic`, `tag`, `place`, `shadowed`, `malformed`; empty if it is used.
    cause: str = ""
    #: A clause that can follow "because".
    why: str = ""
    #: `timestamp`, `checked-hash` or `unchecked-hash`; empty if import does not look at it.
    mode: str = ""
    #: Whether an import compiles the source, and writes the result if it can.
    is_compiled: bool = False


class StrayFile(NamedTuple):
    """Bytecode that is not that of a module for the target."""

    path: str
    rule: Rule
    cause: str
    why: str


class Judgement:
    """The result of `judge`."""

    def __init__(self) -> None:
        self.modules: list[ModuleVerdict] = []
        self.strays: list[StrayFile] = []
        #: The number of caches of the target for other optimization levels.
        self.other_levels = 0
        #: The unchecked-hash files that are used, whose code nobody compares with the source.
        self.unchecked: list[ModuleVerdict] = []


class HeaderVerdict(NamedTuple):
    """Whether a target uses a file with this header for this source."""

    is_used: bool
    cause: str = ""
    why: str = ""
    mode: str = ""
    #: Whether import fails on the file, instead of going to the source.
    breaks_import: bool = False


def cache_name(source: str, target: Target, level: int) -> str:
    """Return the name of the cache of a source, as `importlib.util.cache_from_source` does."""
    base, dot, rest = source.rpartition(".")
    optimization = f".opt-{level}" if level else ""
    return f"{base or rest}{dot}{target.tag}{optimization}.pyc"


def judge(tree: BundleTree, target: Target, level: int) -> Judgement:
    """Judge every module of a bundle. What cannot be read goes into the failures of the tree."""
    result = Judgement()
    tree.hash_sources(_find_hashed(tree, target, level))
    for directory in sorted(tree.folders):
        _FolderJudge(tree, target, level, directory, result).judge()
    return result


def _find_hashed(tree: BundleTree, target: Target, level: int) -> Iterator[tuple[str, Magic]]:
    """Yield the sources that a checked hash is compared with, and the magic number of its file."""
    for directory, folder in tree.folders.items():
        before = f"{directory}/" if directory else ""
        for name in folder.files:
            cache = cache_name(name, target, level)
            if name.endswith(".py") and cache in folder.caches:
                head = tree.head(f"{before}{CACHE}/{cache}")
                magic = identify_magic(head)
                if magic is not None and head[:4] in target.magics and head[4:5] == b"\3":
                    yield before + name, magic


class _FolderJudge:
    """Judges the modules of one folder."""

    def __init__(
        self, tree: BundleTree, target: Target, level: int, directory: str, result: Judgement
    ) -> None:
        self._tree = tree
        self._target = target
        self._level = level
        self._result = result
        self._folder: Folder = tree.folders[directory]
        self._before = f"{directory}/" if directory else ""
        self._extensions = {
            name.partition(".")[0]
            for name in self._folder.files
            if name.endswith(EXTENSIONS) and _is_loaded(name, target)
        }

    def judge(self) -> None:
        """Judge each source, then each legacy file without a source, then the other caches."""
        folder = self._folder
        rest = set(folder.caches)
        legacy = {name for name in folder.files if name.endswith((".pyc", ".pyo", "$py.class"))}
        for name in sorted(folder.files):
            if name.endswith(".py"):
                try:
                    self._judge_source(name, rest, legacy)
                except Failure as failure:
                    self._tree.failures.append(str(failure))
        for name in sorted(legacy):
            self._catch(self._judge_legacy, name)
        for name in sorted(rest):
            self._catch(self._judge_cache, name)

    def _catch(self, judge: Callable[[str], None], name: str) -> None:
        try:
            judge(name)
        except Failure as failure:
            self._tree.failures.append(str(failure))

    def _shadow(self, stem: str) -> str:
        """Return what import finds before a source or legacy file of this stem, empty for nothing."""
        below = self._tree.folders.get(self._before + stem)
        if below is not None and _is_package(below, self._target):
            return f"the package `{stem}` comes first"
        return f"an extension module `{stem}` comes first" if stem in self._extensions else ""

    def _judge_source(self, name: str, rest: set[str], legacy: set[str]) -> None:
        stem = name[:-3]
        cache = cache_name(name, self._target, self._level)
        path, cache_path = self._before + name, f"{self._before}{CACHE}/{cache}"
        add = self._result.modules.append
        shadow = self._shadow(stem)
        if cache in rest:
            rest.discard(cache)
            if shadow:
                add(ModuleVerdict(path, State.NEVER_USED, cache_path, "shadowed", shadow))
                return
            head = self._tree.head(cache_path)
            found = judge_header(
                head, self._target, lambda: self._tree.source(path), self._tree.digest(path)
            )
            found = judge_body(head, found)
            verdict = ModuleVerdict(
                path,
                State.USED if found.is_used else State.NEVER_USED,
                cache_path,
                found.cause,
                found.why,
                found.mode,
                not found.is_used and not found.breaks_import,
            )
            add(verdict)
            if found.is_used and found.mode == "unchecked-hash":
                self._result.unchecked.append(verdict)
            return
        if shadow:
            return
        beside = f"{stem}.pyc"
        if beside in legacy:
            legacy.discard(beside)
            why = "the source next to it comes first"
            add(
                ModuleVerdict(
                    path, State.NEVER_USED, self._before + beside, "place", why, is_compiled=True
                )
            )
        elif "." not in stem:  # no import statement or name leads to `a.b.py`
            add(ModuleVerdict(path, State.MISSING, is_compiled=True))

    def _judge_legacy(self, name: str) -> None:
        path, stem = self._before + name, name[:-4]
        if not name.endswith(".pyc"):
            self._stray(name, "", "place", "Python 3.5 and later do not use such a file")
            return
        if f"{stem}.py" in self._folder.files:
            self._stray(name, "", "place", "the source next to it comes first")
            return
        if "." in stem:
            self._stray(name, "", "place", "import uses a file with a tag only in `__pycache__`")
            return
        shadow = self._shadow(stem)
        if shadow:
            verdict = ModuleVerdict(path, State.NEVER_USED, path, "shadowed", shadow)
        else:
            head = self._tree.head(path)
            found = judge_body(head, judge_header(head, self._target, None))
            state = State.USED if found.is_used else State.NEVER_USED
            verdict = ModuleVerdict(path, state, path, found.cause, found.why)
        self._result.modules.append(verdict)

    def _judge_cache(self, name: str) -> None:
        """Judge a file in `__pycache__` that no source has as its cache at this level."""
        path = f"{CACHE}/{name}"
        parsed = parse_cache_name(path)
        # The source of a script has no suffix, so that it is not listed.
        if parsed is None or parsed.is_script:
            return
        if parsed.is_temporary or not parsed.tag:
            self._stray(name, CACHE, "place", self._why_not(path))
        elif parsed.tag != self._target.tag:
            if is_tag(parsed.tag):
                why = f"it is for {_describe_tag(parsed.tag)}"
                self._stray(name, CACHE, "tag", why, Rule.PYC323)
            else:
                self._stray(name, CACHE, "tag", f"no Python has the tag `{parsed.tag}`")
        elif parsed.is_instrumented:
            writer = parsed.pytest_writer or f"an import hook, {parsed.optimization},"
            self._stray(name, CACHE, "tag", f"only {writer} uses it")
        elif not any(source in self._folder.files for source in parsed.source_names()):
            why = "its source is not in the bundle"
            self._stray(name, CACHE, "place", why)
        elif parsed.optimization != str(
            self._level or ""
        ):  # else an import hook compiles the source
            self._result.other_levels += 1

    def _why_not(self, path: str) -> str:
        """Return why import does not use a cache, in the words of the rules of import."""
        try:
            header = parse_header(self._tree.head(self._before + path))
        except InvalidHeader as error:
            return f"it is not well-formed ({error})"
        return would_import(parse_cache_name(path), header, None, in_cache=True).why

    def _stray(self, name: str, below: str, cause: str, why: str, rule: Rule = Rule.PYC321) -> None:
        path = f"{self._before}{below}/{name}" if below else self._before + name
        self._result.strays.append(StrayFile(path, rule, cause, why))


def judge_header(
    head: bytes,
    target: Target,
    source: Callable[[], Source] | None,
    digest: Digest | None = None,
) -> HeaderVerdict:
    """Return whether `target` uses a file that begins with `head`, for the source if it has one.

    Raises what `source` raises.
    """
    if head[:4] not in target.magics:
        return HeaderVerdict(False, *describe_magic(head, target), breaks_import=source is None)
    try:
        header = parse_header(head)
    except InvalidHeader as error:
        why = f"it is not well-formed ({error})"
        return HeaderVerdict(False, "malformed", why, breaks_import=source is None)
    if source is None:
        return HeaderVerdict(True)
    return judge_freshness(header, source(), digest)


def judge_freshness(header: Header, source: Source, digest: Digest | None = None) -> HeaderVerdict:
    """Return whether the header fits the source."""
    mode = mode_of(header)
    validation = header.validation
    if (
        source.mtime is None
        and isinstance(validation, Timestamp)
        and validation.has_size(source.size)
    ):
        why = "the source gets the time at which the bundle is installed"
        return HeaderVerdict(False, "time", why, mode)
    fitting = check_freshness(header, source, digest) if digest else check_freshness(header, source)
    if fitting.freshness is Freshness.RUNS:
        return HeaderVerdict(True, mode=mode)
    cause, why = _cause(header, source), fitting.why
    if (
        digest is not None and cause != "time"
    ):  # only the hash of the source is at hand, no line endings
        why = f"the {cause} of the source is another one than when this was compiled"
    return HeaderVerdict(False, cause, why, mode)


def _cause(header: Header, source: Source) -> str:
    validation = header.validation
    if not isinstance(validation, Timestamp):
        return "hash"
    return "time" if validation.has_size(source.size) else "size"


def mode_of(header: Header) -> str:
    """Return the invalidation mode of a file (PEP 552)."""
    if not isinstance(header.validation, SourceHash):
        return "timestamp"
    return "checked-hash" if header.validation.checked else "unchecked-hash"


def judge_body(head: bytes, found: HeaderVerdict) -> HeaderVerdict:
    """Return `found`, or that import fails, if what follows a header is not the code of a module.

    Import has no way back to the source once the header fits. `head` are the first `HEAD_BYTES` bytes;
    `verify-bytecode` reads all of them.
    """
    if not found.is_used:
        return found
    body = head[16:]
    if len(body) >= _SHORTEST_CODE_BYTES and body[0] in _CODE_TYPES:
        return found
    why = "no code follows its header, so that import fails"
    return HeaderVerdict(False, "malformed", why, found.mode, breaks_import=True)


def describe_magic(head: bytes, target: Target) -> tuple[str, str]:
    """Return cause and reason for a file without the magic number of the target."""
    if len(head) < 4:
        return "malformed", "it is empty" if not head else "it ends within its magic number"
    magic = identify_magic(head)
    number = int.from_bytes(head[:2], "little")
    if magic is None or not magic.has_number:
        known = head[2:4] == b"\r\n"
        why = f"its magic number, {number}, is not known" if known else "it has no magic number"
        return ("magic" if known else "malformed"), why
    whose = f"{magic.implementation} {magic.version}"
    if (magic.implementation, magic.version) == (target.implementation, target.version):
        return "magic", f"its magic number, {number}, is that of a pre-release of {whose}"
    return "magic", f"its magic number is that of {whose}"


def _describe_tag(tag: str) -> str:
    """Return the Python of a tag: `CPython 3.12`."""
    parsed = parse_cache_name(f"{CACHE}/x.{tag}.pyc")
    implementation = parsed.implementation if parsed else None
    digits = tag[len(tag.rstrip("0123456789")) :]
    if implementation in ("CPython", "PyPy") and "-" not in tag.removeprefix("cpython-"):
        return f"{implementation} {digits[:1]}.{digits[1:]}"
    return f"`{tag}`"


def _is_package(folder: Folder, target: Target) -> bool:
    return any(
        name in ("__init__.py", "__init__.pyc")
        or (name.startswith("__init__.") and name.endswith(EXTENSIONS) and _is_loaded(name, target))
        for name in folder.files
    )


def _is_loaded(name: str, target: Target) -> bool:
    """Return whether the target loads an extension module of this name (`_imp.extension_suffixes`)."""
    middle = name.partition(".")[2].rpartition(".")[0]
    digits = target.version.replace(".", "")
    starts = (f"{target.tag}-", f"cp{digits}-", f"{target.tag}.", f"pypy{digits}-")
    return middle in ("", "abi3") or f"{middle}-".startswith(starts)
