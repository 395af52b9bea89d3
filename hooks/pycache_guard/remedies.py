"""Commands to show people: quoted, and right wherever they are run."""

from __future__ import annotations

import os
import shlex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator

#: Characters of a command that is long enough.
LONG = 4000


def quoted(word: str) -> str:
    r"""Quote a word for a POSIX shell; one with control or undecodable bytes as `$'\xNN'`.

    `word` may hold what `os.fsdecode` made of bytes that are not text.
    """
    if word.isprintable():
        return shlex.quote(word)
    data = os.fsencode(word)
    inner = "".join(
        chr(byte) if 0x20 <= byte < 0x7F and chr(byte) not in "\\'" else f"\\x{byte:02x}"
        for byte in data
    )
    return f"$'{inner}'"


def pathspec(path: str, *, rooted: bool) -> str:
    """Return a git pathspec that means just `path`, from the top of the repository.

    With `rooted` it does so in a subdirectory too. See gitglossary(7), "pathspec".
    """
    magic = ["top"] * rooted + ["literal"] * any(c in path for c in "*?[\\")
    if magic or path.startswith(":"):
        return f":({','.join(magic or ['literal'])}){path}"
    return path


def untrack(path: str, *, rooted: bool, sparse: bool = False) -> str:
    """Return the command that takes `path` out of the index and leaves it on disk.

    `-f`, because git otherwise refuses when file, index and HEAD all differ; with `--cached` it
    touches no file. In a `sparse` checkout git 2.34 and later wants `--sparse` for what is outside;
    earlier ones do not know the option, and do not refuse (git-rm(1)).
    """
    outside = " --sparse" if sparse else ""
    return f"git rm -r -f --cached{outside} -- {quoted(pathspec(path, rooted=rooted))}"


def untrack_together(paths: Iterable[str], *, rooted: bool, sparse: bool = False) -> dict[str, str]:
    """Return for each of `paths` the command that takes it and others out of the index.

    Few commands, each short enough for a shell.
    """
    start = untrack("", rooted=False, sparse=sparse).removesuffix(quoted(""))
    commands: dict[str, str] = {}
    for together in cut_list(sorted(set(paths)), LONG):
        words = " ".join([quoted(pathspec(path, rooted=rooted)) for path in together])
        commands.update(dict.fromkeys(together, start + words))
    return commands


def cut_list(paths: list[str], length: int) -> Iterator[list[str]]:
    """Yield parts of a list of paths, each of about `length` characters at most when quoted."""
    together: list[str] = []
    used = 0
    for path in paths:
        used += len(quoted(path)) + 1
        if used > length and together:
            yield together
            together, used = [], len(quoted(path)) + 1
        together.append(path)
    if together:
        yield together


def forget(paths: Iterable[str]) -> dict[str, str]:
    """Return, for each path, the command that takes it and others out of all history.

    Few commands, each short enough for a shell, and for a report that shows it with every finding.
    git-filter-repo(1) takes a path as it is, and one that begins with `-` only after `=`.
    """
    start = command = "git filter-repo --invert-paths"
    commands: dict[str, str] = {}
    together: list[str] = []
    for path in sorted(set(paths)):
        together.append(path)
        command += f" --path{'=' if path.startswith('-') else ' '}{quoted(path)}"
        if len(command) > LONG:
            commands.update(dict.fromkeys(together, command))
            together = []
            command = start
    commands.update(dict.fromkeys(together, command))
    return commands


def stage(path: str, *, sparse: bool = False) -> str:
    """Return the command that stages `path`, which leads there from where it will be run.

    `-f`, because an ignore file may be ignored itself; in a `sparse` checkout git 2.34 and later
    wants `--sparse` for what is outside.
    """
    outside = " --sparse" if sparse else ""
    return f"git add -f{outside} -- {quoted(pathspec(path, rooted=False))}"


def append(file: str, patterns: list[str], *, after_newline: bool, sparse: bool = False) -> str:
    """Return the command that appends lines to an ignore file and stages it.

    `file` is a path from where the command will be run; `after_newline` tells whether what it holds,
    if anything, ends with a newline.
    """
    lines = patterns if after_newline else ["", *patterns]
    words = " ".join(quoted(word) for word in ("%s\\n", *lines))
    return f"printf {words} >> {quoted(file)} && {stage(file, sparse=sparse)}"
