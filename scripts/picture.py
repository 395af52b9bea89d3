"""Draw docs/terminal.svg from a real run of the program: `python scripts/picture.py`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "docs" / "terminal.svg"
SCRIPT = (
    "pycache-guard forbid-bytecode",
    "pycache-guard check-gitignore",
    "pycache-guard fix",
    'git rm -q -r -f --cached -- assets/logo.png && git add -f -- .gitignore && git commit -q -m "Untrack bytecode"',
    "pycache-guard forbid-bytecode && pycache-guard check-gitignore && echo clean",
)
LINE, WIDTH, LEFT, TOP = 19, 920, 18, 42


def main() -> None:
    """Put the picture where the README shows it."""
    TARGET.write_text(drawn(), encoding="utf-8")


def drawn() -> str:
    """Make a repository with the problem, mend it, and draw what the terminal showed."""
    with tempfile.TemporaryDirectory() as directory:
        lines = [line for command in SCRIPT for line in shown(command, prepared(Path(directory)))]
    return svg(lines)


def prepared(directory: Path) -> Path:
    """Return a repository with bytecode, one of it under another name; made once."""
    top = directory / "repository"
    if not top.exists():
        (top / "pkg").mkdir(parents=True)
        (top / "pkg" / "config.py").write_text("TOKEN = 'secret'\n", encoding="utf-8")
        run("git init -q .", top)
        run(f"{sys.executable} -m py_compile pkg/config.py", top)
        run("mkdir assets && cp pkg/__pycache__/config.*.pyc assets/logo.png", top)
        run("git add -A && git commit -qm c", top)
        run("git rm -q --cached assets/logo.png && git commit -qm c && git add assets", top)
    return top


def run(command: str, top: Path) -> str:
    """Run a shell command; return what it printed."""
    names = ("AUTHOR_NAME", "AUTHOR_EMAIL", "COMMITTER_NAME", "COMMITTER_EMAIL")
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    env = {**os.environ, "PATH": path, **{f"GIT_{name}": "a@example.com" for name in names}}
    done = subprocess.run(
        command, shell=True, cwd=top, env=env, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def shown(command: str, top: Path) -> list[str]:
    """Return the prompt with the command, and its output."""
    return [f"$ {command}", *run(command, top).splitlines()]


def svg(lines: list[str]) -> str:
    """Return the picture of a terminal."""
    height = TOP + LINE * len(lines) + 12
    rows = [
        f'<text x="{LEFT}" y="{TOP + LINE * n}" fill="{colour(line)}" xml:space="preserve">{escape(line)}</text>'
        for n, line in enumerate(lines, start=1)
    ]
    lights = [
        f'<circle cx="{22 + 20 * n}" cy="20" r="6" fill="{fill}"/>'
        for n, fill in enumerate(("#ff5f57", "#febc2e", "#28c840"))
    ]
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}"'
                ' font-family="ui-monospace, Menlo, Consolas, monospace" font-size="13.5">'
            ),
            "<title>pycache-guard finds bytecode, mends it, and proves that it stays out</title>",
            f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#1e1e2e"/>',
            *lights,
            *rows,
            "</svg>\n",
        ]
    )


def colour(line: str) -> str:
    """Commands white, findings red, remedies green."""
    if line.startswith("$"):
        return "#ffffff"
    if ": PYC" in line:
        return "#f38ba8"
    return "#a6e3a1" if line.startswith("    ") or line == "clean" else "#bac2de"


if __name__ == "__main__":
    main()
