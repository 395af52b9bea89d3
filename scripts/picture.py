"""Draw docs/terminal.svg from a real run of the program: `python -m scripts.picture`."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

TARGET = Path(__file__).resolve().parent.parent / "docs" / "terminal.svg"
TITLE = "pycache-guard refuses bytecode, fixes the repository, and accepts the commit"
#: What the person in the picture types, in this order.
COMMANDS = (
    'git commit -m "Add config"',
    "pycache-guard fix",
    'git add -f -- .gitignore && git commit -m "Ignore bytecode"',
)
#: Columns of the terminal: a longer line is wrapped, so nothing is cut off.
WIDTH = 90
SETUP = """
set -e
git init -q -b main . && git commit -q --allow-empty -m start
mkdir pkg && echo "TOKEN = 'secret'" > pkg/config.py
python3 -m py_compile pkg/config.py
printf '#!/bin/sh\\npycache-guard forbid-bytecode --quiet && pycache-guard check-gitignore --quiet\\n' > .git/hooks/pre-commit
chmod +x .git/hooks/pre-commit
git add -A
"""
ISOLATED = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "LC_ALL": "C",
    **{
        f"GIT_{role}_{key}": value
        for role in ("AUTHOR", "COMMITTER")
        for key, value in (
            ("NAME", "A"),
            ("EMAIL", "a@example.com"),
            ("DATE", "2026-11-01T12:00:00Z"),
        )
    },
}
#: The font that rich loads from a network; the monospaced font of the reader is used instead.
REMOTE_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def main() -> None:
    """Write the picture that the README shows."""
    TARGET.write_text(draw_picture(), encoding="utf-8")


def draw_picture() -> str:
    """Return an SVG of a terminal in which `COMMANDS` were run in a new repository."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), legacy_windows=False)
    with tempfile.TemporaryDirectory() as directory:
        run_command(SETUP, directory)
        for command in COMMANDS:
            console.print(Text(f"$ {command}", style="bold"))
            console.print(Text.from_ansi(run_command(command, directory).rstrip("\n")))
            console.print()
    svg = console.export_svg(title=TITLE, theme=MONOKAI, unique_id="terminal")
    return "".join(f"{line.rstrip()}\n" for line in REMOTE_FONT.sub("", svg).splitlines())


def run_command(command: str, directory: str) -> str:
    """Run a shell command and return its output, stderr included, as a terminal shows it."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=directory,
        env={**os.environ, **ISOLATED, "PATH": path, "FORCE_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
    )
    return done.stdout


if __name__ == "__main__":
    main()
