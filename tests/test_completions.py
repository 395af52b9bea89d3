"""The completion files are those of the commands, and the real shells use them."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import sys
import time
import zipfile
from typing import TYPE_CHECKING

import pytest

from helpers.runners import ROOT
from pycache_guard.cli import COMMANDS

if TYPE_CHECKING:
    from pathlib import Path

completions = pytest.importorskip("scripts.completions", reason="it needs shtab")

#: What is typed, and one of the words that the shell then offers.
TYPED = [
    ("pycache-guard forb", "forbid-bytecode"),
    ("pycache-guard ci --ra", "--range"),
    ("pycache-guard ci --format jun", "junit"),
    ("pycache-guard forbid-bytecode --content no", "none"),
    ("pycache-guard explain PYC43", "PYC436"),
]
#: Seconds that an interactive shell may take on a busy machine.
PATIENCE = 60


def require_shell(name: str) -> str:
    """Return the path of a shell, or skip the test."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (apt install {name})")
    return found


@pytest.mark.parametrize("shell", completions.FILES)
def test_file_is_up_to_date(shell: str) -> None:
    text = (ROOT / completions.FILES[shell]).read_text("utf-8")
    assert text == completions.complete(shell), "run `python -m scripts.completions`"


@pytest.mark.parametrize("shell", completions.FILES)
def test_every_command_is_completed(shell: str) -> None:
    text = (ROOT / completions.FILES[shell]).read_text("utf-8")
    assert [name for name in COMMANDS if name not in text] == []


BASH = """
source "$FILE"
COMP_WORDS=($TYPED)
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
COMP_LINE=$TYPED
COMP_POINT=${#COMP_LINE}
name=$(complete -p pycache-guard | sed 's/.*-F \\([^ ]*\\) .*/\\1/')
$name pycache-guard "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize(("typed", "offered"), TYPED)
def test_bash_completes(typed: str, offered: str) -> None:
    if sys.platform == "win32":
        pytest.skip("the file is for bash on POSIX systems")
    env = {**os.environ, "FILE": os.fspath(ROOT / completions.FILES["bash"]), "TYPED": typed}
    done = subprocess.run(
        [require_shell("bash"), "--noprofile", "--norc", "-c", BASH],
        env=env,
        capture_output=True,
        check=True,
        text=True,
    )
    assert offered in done.stdout.split()


@pytest.mark.parametrize(("typed", "offered"), TYPED)
def test_fish_completes(typed: str, offered: str) -> None:
    script = f"source {ROOT / completions.FILES['fish']}; complete -C '{typed}'"
    done = subprocess.run(
        [require_shell("fish"), "--no-config", "-c", script],
        capture_output=True,
        check=True,
        text=True,
    )
    assert offered in [line.partition("\t")[0] for line in done.stdout.splitlines()]


def test_zsh_completes(tmp_path: Path) -> None:
    """In a terminal, because only the line editor completes; each line is written out by Tab."""
    zsh = require_shell("zsh")
    import pty

    (tmp_path / "_pycache-guard").write_text(
        (ROOT / completions.FILES["zsh"]).read_text("utf-8"), "utf-8"
    )
    terminal, inner = pty.openpty()
    env = {**os.environ, "TERM": "dumb", "PS1": "ready> ", "ZDOTDIR": os.fspath(tmp_path)}
    process = subprocess.Popen(
        [zsh, "-f", "-i"], stdin=inner, stdout=inner, stderr=inner, env=env, start_new_session=True
    )
    os.close(inner)
    try:
        seen = b""

        def wait_for(words: str) -> None:
            nonlocal seen
            end = time.monotonic() + PATIENCE
            while not re.search(words.encode(), seen):
                assert time.monotonic() < end, seen
                if select.select([terminal], [], [], 1)[0]:
                    seen += os.read(terminal, 4096)
            seen = b""

        wait_for("ready> ")
        start = f"fpath=({tmp_path} $fpath); autoload -U compinit; compinit -u -D; echo st''arted"
        os.write(terminal, f"{start}\n".encode())
        wait_for("started")
        for typed, offered in TYPED[:4]:
            os.write(terminal, f"{typed}\t".encode())
            wait_for(re.escape(f"{typed.rpartition(' ')[0]} {offered}"))
            os.write(terminal, b"\x15")  # Ctrl-U: remove the line
    finally:
        process.kill()
        process.wait()
        os.close(terminal)


def test_wheel_installs_the_files_where_shells_look(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", os.fspath(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        names = {name.partition(".data/data/")[2] for name in file.namelist()}
    assert names >= {
        "share/bash-completion/completions/pycache-guard",
        "share/zsh/site-functions/_pycache-guard",
        "share/fish/vendor_completions.d/pycache-guard.fish",
    }
