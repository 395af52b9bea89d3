"""Parse text reports, and run their commands."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class _Clean:
    """Equals the result of a run without findings: one line on stdout, perhaps followed by advice."""

    def __eq__(self, other: object) -> bool:
        """Compare with a `Result`."""
        if not isinstance(other, tuple):
            return NotImplemented
        code, out, err = other
        return code == 0 and err == "" and re.fullmatch(r"OK: .+\.\n(.+\.\n)*", out) is not None

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "(0, 'OK: …', '')"


#: The result of a check without findings.
CLEAN = _Clean()


#: Requires everything that Python can write, old versions and interrupted writes included.
EVERY_PROBE = tuple(
    word for probe in ("cache", "temporary", "legacy", "python2") for word in ("--probe", probe)
)


class Found(NamedTuple):
    """A finding in a text report."""

    place: str
    code: str
    words: str


def parse_lines(out: str) -> list[str]:
    """Return the lines of a text report that are findings."""
    return [
        line for line in out.partition("\n\n")[0].splitlines() if re.search(r"(^|: )PYC\d", line)
    ]


def parse_report(out: str) -> list[Found]:
    """Read a text report."""
    return [Found(*re.split(r": (PYC\d+) ", line, maxsplit=1)) for line in parse_lines(out)]


def fix_commands(out: str) -> list[str]:
    """Return the commands of a text report: those that fix, then the one that commits."""
    blocks = re.split(r"(?m)^(?:To fix|Now commit):\n", out)[1:]
    return [
        line.strip() for block in blocks for line in block.splitlines() if line.startswith("    ")
    ]


def run_fixes(out: str, cwd: Path) -> None:
    """Run the commands of a text report."""
    run_shell(*fix_commands(out), cwd=cwd)


def run_shell(*commands: str, cwd: Path) -> None:
    """Run shell commands one after the other."""
    for command in commands:
        run_command_text(command, cwd)


def run_command_text(command: str, cwd: Path) -> None:
    """Run a shell command, which must succeed with empty stderr."""
    done = subprocess.run(["bash", "-c", command], cwd=cwd, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b""), command
