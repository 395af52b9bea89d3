"""What a text report says, and doing what it says."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING
from typing import NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class Found(NamedTuple):
    """What a line of the text report says."""

    place: str
    code: str
    words: str


def found(out: str) -> list[Found]:
    """Read a text report."""
    lines = out.partition("\n\n")[0].splitlines()
    return [Found(*re.split(r": (PYC\d+) ", line, maxsplit=1)) for line in lines]


def remedies(out: str) -> list[str]:
    """Return the commands of a text report."""
    return [line.strip() for line in out.partition("To mend:\n")[2].splitlines()]


def bash(*commands: str, cwd: Path) -> None:
    """Run commands as a person would, one after the other."""
    for command in commands:
        run(command, cwd)


def run(command: str, cwd: Path) -> None:
    """Run a command; it must succeed, and keep silent on stderr."""
    done = subprocess.run(["bash", "-c", command], cwd=cwd, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b""), command
