"""Names and words with terminal escape sequences: shown, not obeyed, in whatever is written."""

from __future__ import annotations

import base64
import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from faults.fault_env import Call, Sandbox, copied, every_call, posix
from helpers.make_archive import make_zip
from helpers.repo import BYTECODE, Repo
from pycache_guard.report import FORMATS

if TYPE_CHECKING:
    from pathlib import Path

    from helpers.repo import Result

pytestmark = posix

#: Clear the screen, set the title, a bell, C1's CSI in UTF-8 and alone, an override of direction,
#: a line break, a carriage return, a workflow command, a link.
ODD = "a\x1b[2J\x1b]0;t\x07\x9b31m\udc9b\u202e\n\r::stop::\x1b]8;;x\x1b\\\u2028z"
#: For the names of refs git has rules of its own (git-check-ref-format(1)).
ODD_REF = "refs/tags/a\u202e\u0085b"


#: Names that begin with, or hold, what CI runners take for commands: M13 of the audit.
COMMANDS = [
    "::set-output name=approved::true",
    "  ::error file=a,line=1::b",
    "::stop-commands::x",
    "a##[add-mask]e",
    "##[group]",
    "##vso[task.setvariable variable=PATH]e",
    "####vso[x]",
    "##teamcity[buildStatus text='x']",
    "#\u034f#[error]",
    "\u3164::warning::x",
    "section_start:1:x\r\x1b[0K",
    "\x1b]0;title\x07::debug::x",
]


def harmless(text: str) -> None:
    """Check that no terminal and no CI runner would obey anything of it but the ends of lines.

    Lines of our own report for GitHub are commands by intention.
    """
    bad = [c for c in text if not (c.isprintable() or c == "\n")]
    assert not bad, (bad, text)
    assert "##" not in text
    assert "\u034f" not in text
    begun = [line for line in text.splitlines() if line.lstrip(" \t\u3164").startswith("::")]
    assert all(line.startswith(("::error file=", "::error title=")) for line in begun), begun


def fill(repo: Repo) -> None:
    """Put odd names and words wherever the program may repeat them."""
    paths = (f"{ODD}.pyc", f"d{ODD}/__pycache__/m.cpython-311.pyc", f"{ODD}/x.bin")
    repo.add_files(dict.fromkeys(paths, BYTECODE))
    for name in COMMANDS:
        repo.add(f"{name}/m.pyc", BYTECODE)
        repo.add(f"{name}.py", "import sys\nsys.dont_write_bytecode = True\n")
        repo.write(f"{name} left/__pycache__/gone.cpython-311.pyc", BYTECODE)
    repo.add(f"{ODD}.py", "import sys\nsys.dont_write_bytecode = True\n")
    repo.add(
        f"{ODD}/.gitignore", f"!{ODD}\n!*.pyc\n!__pycache__/\n".encode("utf-8", "surrogateescape")
    )
    repo.add(f"{ODD}/Dockerfile", "FROM x\nCOPY . .\n")
    repo.add(".dockerignore", f"!{ODD[:20]}\n!**/*.pyc\n".encode("utf-8", "surrogateescape"))
    reason = json.dumps("r\x1b[2Jr")
    glob = json.dumps("no\x1b[2Jsuch")
    repo.add(
        "pyproject.toml",
        f"[tool.pycache-guard]\nallow = [{{ path = {glob}, reason = {reason} }}]\n",
    )
    repo.commit(f"m{ODD}".replace("\udc9b", ""))
    repo.git("update-ref", ODD_REF, repo.blob(BYTECODE))
    repo.write(f"dist/{ODD}.whl".replace("\n", ""), b"no archive")
    repo.write(
        "dist/x-1-py3-none-any.whl",
        make_zip({f"{name}.pyc".replace("\udc9b", ""): BYTECODE for name in (ODD, *COMMANDS)}),
    )
    cache = f"disk{ODD}/__pycache__"
    repo.write(f"{cache}/gone.cpython-311.pyc", BYTECODE)
    repo.write(f"disk{ODD}/left.pyc", BYTECODE)


@pytest.fixture
def odd(template: Path, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Sandbox:
    """Return a copy of the repository with odd names and words, which is filled once per process."""
    path = tmp_path_factory.getbasetemp() / "odd-template"
    if not path.exists():
        shutil.copytree(template, path, symlinks=True)
        fill(Repo(path))
    return copied(path, tmp_path / "scene")


def check(result: Result) -> None:
    """Check both streams."""
    assert "Traceback" not in result.err
    harmless(result.out)
    harmless(result.err)


@every_call(7)
def test_in_every_format(odd: Sandbox, call: Call) -> None:
    formats = FORMATS if not call.writes else ("text",)
    for name in formats:
        result = odd.run(call, "--format", name)
        check(result)
        if name == "json":
            paths = [f["path_base64"] for f in json.loads(result.out)["findings"]]
            assert all(ODD[:3].encode() in base64.b64decode(path) for path in paths if path)
    if call.command in ("forbid-bytecode", "clean") and not call.options:
        assert "\\x1b[2J" in odd.run(call, "--format", "text").out + result.out


@every_call(8)
def test_in_a_report_in_a_file(odd: Sandbox, call: Call) -> None:
    odd.run(call, "--output", "report")
    harmless((odd.path / "report").read_text("utf-8"))


#: Invalid arguments that error messages repeat.
WORDS = [
    ("forbid-bytecode", "--tree", f"x{ODD}"),
    ("forbid-bytecode", "--content", ODD),
    ("check-history", f"x{ODD}"),
    ("check-gitignore", "--probe", ODD),
    ("check-dockerignore", f"no{ODD}"),
    ("check-dist", f"{ODD}.whl"),
    *(
        (word, *words)
        for words in ([f"{name} none"] for name in COMMANDS)
        for word in ("inspect", "lint", "clean", "check-history")
    ),
    ("inspect", ODD, f"HEAD:{ODD}", f"{ODD}:x"),
    ("lint", f"no{ODD}"),
    ("clean", f"no{ODD}"),
    ("verify-bytecode", f"no{ODD}"),
    ("verify-bytecode", "--python", ODD),
    ("doctor", "--python", ODD),
    ("doctor", "--time", ODD),
    ("fix", ODD),
    (ODD,),
    ("forbid-bytecode", "--output", f"no/such/{ODD}"),
]


@pytest.mark.parametrize("words", WORDS, ids=lambda words: " ".join(words)[:25])
def test_words_that_are_not_understood(odd: Sandbox, words: tuple[str, ...]) -> None:
    result = odd.run(Call(words[0], words[1:]))
    check(result)
    assert result.code == 2


@pytest.mark.parametrize("command", ["pre-push", "pre-receive"])
def test_ref_lines(odd: Sandbox, command: str) -> None:
    zeros, blob = "0" * 40, odd.repo.git("rev-parse", ODD_REF)
    line = {
        "pre-push": f"{ODD_REF}\x1b[2J {blob} {ODD_REF} {zeros}\n",
        "pre-receive": f"{zeros} {blob} {ODD_REF}\x1b[2J\n",
    }[command]
    options = ("origin", "url") if command == "pre-push" else ()
    odd.repo.git("update-ref", "-d", ODD_REF)
    for text in (line, line.replace(blob, "\x1b[2J")):
        check(odd.run(Call(command, options, text)))


def test_what_git_says_is_passed_on_harmlessly(odd: Sandbox, tmp_path: object) -> None:
    """An unknown repository format, given by an extension with an unusual name."""
    (odd.path / ".git" / "config").write_bytes(b"[core]\n\x1b[2J\xff bad\n")
    result = odd.run(Call("forbid-bytecode"))
    check(result)
    assert result.code == 2
    os.environ["GIT_CONFIG_PARAMETERS"] = "'a\x1b[2J"
    try:
        result = odd.run(Call("forbid-bytecode"))
    finally:
        del os.environ["GIT_CONFIG_PARAMETERS"]
    check(result)
    assert result.code == 2
