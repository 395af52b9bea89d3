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


def lines(out: str) -> list[str]:
    """Return the findings of a text report, each in a line."""
    return out.partition("\n\n")[0].splitlines()


def found(out: str) -> list[Found]:
    """Read a text report."""
    return [Found(*re.split(r": (PYC\d+) ", line, maxsplit=1)) for line in lines(out)]


def remedies(out: str) -> list[str]:
    """Return the commands of a text report."""
    return [line.strip() for line in out.partition("To mend:\n")[2].splitlines()]


def mend(out: str, cwd: Path) -> None:
    """Do what a text report says."""
    bash(*remedies(out), cwd=cwd)


def bash(*commands: str, cwd: Path) -> None:
    """Run commands as a person would, one after the other."""
    for command in commands:
        run(command, cwd)


def run(command: str, cwd: Path) -> None:
    """Run a command; it must succeed, and keep silent on stderr."""
    done = subprocess.run(["bash", "-c", command], cwd=cwd, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b""), command
