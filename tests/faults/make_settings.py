"""Print the settings of git that take any text: in each of them a repository can name a program.

Run `python tests/faults/make_settings.py OUTPUT_OF_GIT_HELP_C… > tests/faults/settings.txt` with what
`git help -c` of the versions of interest prints (each documents what the others lack). Placeholders
become names that the tests use. A setting stays if git answers as without it when it names a program;
the others are numbers, switches and words of a list, and make git fail. A git accepts any text for those
that it does not know, so what git 2.55 refuses was removed from what git 2.39 accepts.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAM = "/no/such/program"
#: Names in the tests, by placeholder or by the section before a star.
NAMES = {
    "alias.*": ("alias.ls-files", "alias.rev-parse", "alias.cat-file", "alias.config"),
    "alias.*.command": ("alias.ls-files.command", "alias.update-index.command"),
    "pager.<cmd>": ("pager.ls-files", "pager.diff-index", "pager.rev-list", "pager.cat-file"),
    "<driver>": ("f",),
    "<friendly-name>": ("h",),
    "<event>": ("post-index-change",),
    "<url>": ("https://example.com",),
    "<format>": ("ssh", "x509"),
    "<name>": ("origin",),
    "<cmd>": ("ls-files",),
}
#: These select the repository, work tree or format; other tests cover them.
APART = re.compile(r"core\.(worktree|bare)|extensions\.|include|hasconfig:|core\.repositoryformat")
#: Git commands that the program runs.
VERBS = (
    ("ls-files", "--stage", "-z"),
    ("diff-index", "--cached", "--raw", "HEAD"),
    ("diff-tree", "-r", "--root", "HEAD"),
    ("rev-list", "HEAD"),
    ("rev-parse", "--show-toplevel", "HEAD"),
    ("cat-file", "-p", "HEAD"),
    ("check-ignore", "-v", "--non-matching", "--no-index", "a"),
    ("check-attr", "--all", "a"),
    ("ls-tree", "-r", "HEAD"),
    ("update-index", "--force-remove", "b"),
    ("remote",),
    ("grep", "-q", "x"),
    ("rev-parse", "@{upstream}"),
)
#: Make a repository whose branch has an upstream.
SET_UP = (
    ("init", "-q", "--initial-branch=main"),
    ("-c", "user.name=x", "-c", "user.email=x", "commit", "-q", "--allow-empty", "-m", "x"),
    ("remote", "add", "origin", "nowhere"),
    ("update-ref", "refs/remotes/origin/main", "HEAD"),
    ("branch", "-q", "--set-upstream-to=origin/main"),
)


def expand(documented: str) -> list[str]:
    """Return the settings that a documented name stands for."""
    if documented in NAMES:
        return [*NAMES[documented]]
    match = re.search(r"<[^>]+>", documented)
    if match is None:
        return [] if "*" in documented else [documented]
    names = NAMES.get(match[0], ("t",))
    return [each for name in names for each in expand(documented.replace(match[0], name, 1))]


def answers(setting: str | None, directory: str) -> list[object]:
    """Return the exit code of git for each of `VERBS` with a setting."""
    option = () if setting is None else ("-c", f"{setting}={PROGRAM}")
    return [
        subprocess.run(
            ["git", *option, *verb], cwd=directory, capture_output=True, check=False
        ).returncode
        for verb in VERBS
    ]


def main(files: list[str]) -> None:
    """Print the settings, sorted."""
    documented = {line for file in files for line in Path(file).read_text("utf-8").split()}
    settings = sorted({each for name in documented for each in expand(name) if "." in each})
    with tempfile.TemporaryDirectory() as directory:
        for command in SET_UP:
            subprocess.run(["git", *command], cwd=directory, check=True)
        usual = answers(None, directory)
        for setting in settings:
            if not APART.match(setting.lower()) and answers(setting, directory) == usual:
                print(setting)


if __name__ == "__main__":
    main(sys.argv[1:])
