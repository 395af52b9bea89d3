"""Commands for reports: quoted for a shell, and correct in the directory of the reader."""

from __future__ import annotations

import os
import re
import shlex
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

#: The name of the console script.
NAME = "pycache-guard"
#: How commands begin that every Windows shell can run, and those that only a POSIX shell can.
PROGRAMS = ("git ", "pycache-guard ")
POSIX_TOOLS = ("printf ", "rm ", "mv ", "mkdir ", "chmod ", "sudo ", "find ", "clone=", "ulimit ")
#: Words that need no quotes, and words that mean the same in double quotes, in cmd, PowerShell and
#: POSIX shells. PowerShell reads typographic quotes as quotes; letters of any language are plain.
BARE = re.compile(r"[A-Za-z0-9_./:=+-]+")
DOUBLE_QUOTABLE = re.compile(r"[\w./:=@+~ ()\[\]{}#,;*?-]+")
#: Added to a finding whose command is left out.
NO_COMMAND = "no command is shown, because Windows shells would read it differently"
#: The approximate maximum number of characters in one command.
MAX_COMMAND_CHARS = 4000
#: The maximum number of paths, or ends of names, in one command.
MOST_OPTIONS = 10
#: The ends of bytecode file names.
ENDS = (".pyc", ".pyo", "$py.class", ".nbi", ".nbc")


#: Characters without a glyph (Unicode Default_Ignorable_Code_Point) that Python counts as printable.
#: The variation selectors of emoji, U+FE0E and U+FE0F, are left out: many ordinary names have them.
INVISIBLE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0"
    + "".join(map(chr, [*range(0xFE00, 0xFE0E), *range(0xE0100, 0xE01F0)]))
)


def is_visible(character: str) -> bool:
    """Return whether a character has a glyph."""
    return character.isprintable() and character not in INVISIBLE


def program() -> str:
    """Return the command that runs this program: its name, or its full path if PATH does not have it.

    A hook runner installs the program in its own directory, which is not in the PATH of a person.
    """
    return NAME if find_on_path() else full_program()


def find_on_path() -> str | None:
    """Return the path of this program in PATH, None if PATH does not have it."""
    from shutil import which  # 2 ms, for a report with a command of ours

    return which(NAME)


def full_program() -> str:
    """Return the command that runs this program whatever PATH is; its name if its path is not known.

    `sudo` replaces PATH (sudoers(5), `secure_path`).
    """
    own = sys.argv[0]
    if os.path.basename(own).startswith(NAME):
        return shell_quote(os.path.abspath(own))
    if os.path.basename(own) == "__main__.py" and __package__ == os.path.basename(
        os.path.dirname(own)
    ):
        return f"{shell_quote(sys.executable)} -m {__package__}"
    found = find_on_path()
    return shell_quote(os.path.abspath(found)) if found else NAME


def at_top(command: str, *, has_git_dir: bool = True) -> str:
    """Return `command`, which is meant for the top of the work tree, as one that works below it too.

    `has_git_dir` is False if git would not find the repository from the top (`core.worktree`).
    """
    keep = "" if has_git_dir else 'export GIT_DIR="$(git rev-parse --absolute-git-dir)" && '
    return f'({keep}cd "$(git rev-parse --show-toplevel)" && {command})'


def shell_quote(word: str) -> str:
    r"""Quote a word for a POSIX shell, as `$'\xNN'` if a report would escape it.

    A report escapes control characters, undecodable bytes and `##` (`report.escape`). `word` may have
    surrogates of `os.fsdecode`.
    """
    if "##" not in word and all(map(is_visible, word)):
        return shlex.quote(word)
    data = os.fsencode(word)
    inner = "".join(
        chr(byte) if 0x20 <= byte < 0x7F and chr(byte) not in "\\'" else f"\\x{byte:02x}"
        for byte in data
    )
    inner = inner.replace("##", "#\\x23")
    return f"$'{inner}'"


def translate_for_windows(remedy: str) -> str | None:
    """Return a command that cmd, PowerShell and Git Bash read alike, or None if there is none.

    Cmd has no single quotes, and PowerShell also ends them at U+2019, so only plain names in double
    quotes are translated. POSIX tools are missing. Text that starts with none of the known commands is
    a sentence and is returned as it is.
    """
    if remedy.startswith(POSIX_TOOLS):
        return None
    if not remedy.startswith(PROGRAMS):
        return remedy
    if "$" in remedy or "'&&'" in remedy:
        return None
    words = shlex.split(remedy)
    if not all(word == "&&" or DOUBLE_QUOTABLE.fullmatch(word) for word in words):
        return None
    return " ".join(w if w == "&&" or BARE.fullmatch(w) else f'"{w}"' for w in words)


def leaks_command(revision: str, path: str) -> str:
    """Return the command that lists what the bytecode at `path` of a commit contains and its source does not."""
    return f"{program()} inspect --leaks {shell_quote(f'{revision}:{path}')}"


def literal_pathspec(path: str, *, rooted: bool) -> str:
    """Return a git pathspec that matches only `path`, relative to the top of the repository.

    With `rooted` it also works in a subdirectory. See gitglossary(7), "pathspec".
    """
    magic = ["top"] * rooted + ["literal"] * any(c in path for c in "*?[\\")
    if magic or path.startswith(":"):
        return f":({','.join(magic or ['literal'])}){path}"
    return path


def untrack_command(path: str, *, rooted: bool, sparse: bool = False) -> str:
    """Return the command that removes `path` from the index and leaves it on disk.

    `-f`, because git otherwise refuses if file, index and HEAD all differ; with `--cached` no file
    changes. In a `sparse` checkout git 2.34 and later needs `--sparse` for paths outside it; earlier
    versions do not have the option and do not refuse (git-rm(1)).
    """
    outside = " --sparse" if sparse else ""
    return f"git rm -r -f --cached{outside} -- {shell_quote(literal_pathspec(path, rooted=rooted))}"


def untrack_together(paths: Iterable[str], *, rooted: bool, sparse: bool = False) -> dict[str, str]:
    """Return for each of `paths` the command that removes it, together with others, from the index.

    Each command has at most about `MAX_COMMAND_CHARS` characters.
    """
    start = untrack_command("", rooted=False, sparse=sparse).removesuffix(shell_quote(""))
    commands: dict[str, str] = {}
    for together in cut_list(sorted(set(paths)), MAX_COMMAND_CHARS):
        words = " ".join([shell_quote(literal_pathspec(path, rooted=rooted)) for path in together])
        commands.update(dict.fromkeys(together, start + words))
    return commands


def cut_list(paths: list[str], length: int) -> Iterator[list[str]]:
    """Yield parts of a list of paths, each of at most about `length` characters when quoted."""
    together: list[str] = []
    used = 0
    for path in paths:
        used += len(shell_quote(path)) + 1
        if used > length and together:
            yield together
            together, used = [], len(shell_quote(path)) + 1
        together.append(path)
    if together:
        yield together


def rewrite_unpushed(
    paths: Sequence[str],
    allowed: Sequence[str],
    *,
    tip: str,
    base: str | None,
    is_amend: bool,
    sparse: bool,
) -> str | None:
    """Return the command that squashes the newest commits and removes paths from them.

    `tip` is HEAD, whose message stays; `base` is the commit preceding them, None for a root; with
    `is_amend` only HEAD changes. The command stops if something else is staged, and leaves files on
    disk. Many paths are matched by the ends of their names, except for the globs `allowed`. Returns
    None if there are too many ends.
    """
    ends, rest = by_end(paths)
    if len(ends) + len(rest) > MOST_OPTIONS:
        return None
    specs = [f":(top,glob)**/*{end}" for end in ends]
    specs += [f":(top,exclude,glob){glob}" for glob in allowed if ends]
    specs += [literal_pathspec(path, rooted=True) for path in rest]
    outside = " --sparse" if sparse else ""
    steps = [
        "git --no-pager diff --cached --stat --exit-code",
        *(
            []
            if is_amend
            else [f"git reset -q --soft {base}" if base else "git update-ref -d HEAD"]
        ),
        f"git rm -q -r -f --cached{outside} --ignore-unmatch -- {' '.join(map(shell_quote, specs))}",
        f"git commit -q --allow-empty {'--amend --no-edit' if is_amend else f'-C {tip}'}",
    ]
    return " && ".join(steps)


def by_end(paths: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the ends of many paths, as they are spelled, and the paths with other ends.

    Up to `MOST_OPTIONS` paths are all in the second list.
    """
    if len(paths) <= MOST_OPTIONS:
        return [], sorted(paths)
    ends = {path: next((end for end in ENDS if path.lower().endswith(end)), "") for path in paths}
    spelled = sorted({path[-len(end) :] for path, end in ends.items() if end})
    return spelled, sorted(path for path, end in ends.items() if not end)


def rewrite_history(paths: Sequence[str], remote: str | None, *, is_bare: bool) -> str | None:
    """Return the command that removes paths from all history, in a fresh clone; None if too many.

    The clone is made of `remote`, or of this repository. Many paths are matched by the ends of their
    names: `*` matches slashes too in git-filter-repo(1).
    """
    options = filter_options(paths)
    if not options:
        return None
    source = (
        f"$(git remote get-url {shell_quote(remote)})"
        if remote
        else "$(git rev-parse --git-common-dir)"
    )
    clone = "git clone -q --bare --no-local" if is_bare else "git clone -q --no-local"
    words = " ".join(options)
    return (
        f'clone=$(mktemp -d) && {clone} "{source}" "$clone"'
        f' && git -C "$clone" filter-repo --invert-paths {words} && echo "rewritten: $clone"'
    )


def filter_options(paths: Sequence[str]) -> list[str]:
    """Return the `git filter-repo` options for `paths`; an empty list if there would be too many.

    A path that begins with `-` must follow `=`.
    """
    ends, rest = by_end(paths)
    if len(ends) + len(rest) > MOST_OPTIONS:
        return []
    options = [f"--path-glob {shell_quote(f'*{end}')}" for end in ends]
    return options + [f"--path{'=' if p.startswith('-') else ' '}{shell_quote(p)}" for p in rest]


def add_command(path: str, *, sparse: bool = False) -> str:
    """Return the command that stages `path`, relative to the directory in which it is run.

    `-f`, because an ignore file may be ignored itself; in a `sparse` checkout git 2.34 and later
    needs `--sparse` for paths outside it.
    """
    outside = " --sparse" if sparse else ""
    return f"git add -f{outside} -- {shell_quote(literal_pathspec(path, rooted=False))}"


def append_command(file: str, patterns: list[str], *, after_newline: bool) -> str:
    """Return the command that appends lines to an ignore file.

    `file` is relative to the directory in which the command is run; `after_newline` is whether the file
    is empty or ends with a newline.
    """
    lines = patterns if after_newline else ["", *patterns]
    words = " ".join(shell_quote(word) for word in ("%s\\n", *lines))
    return f"printf {words} >> {shell_quote(file)}"
