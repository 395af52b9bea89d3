"""Where the commands of the documentation are run: a reader's machine, made for it."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from documentation.blocks import steps

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from documentation.blocks import Block

MARK = "\x1e"


class Answer(NamedTuple):
    """What a shell did: its last exit code, what it wrote to either stream, where it ended."""

    code: int
    out: str
    place: Path


class Sandbox(NamedTuple):
    """A reader's machine: an environment, and an empty directory."""

    place: Path
    environment: Mapping[str, str]

    def run(self, script: str, place: Path | None = None, **more: str) -> Answer:
        """Run a script in `bash`, from `place`; nobody is at the keyboard."""
        start = self.place if place is None else place
        ended = self.place / ".ended"
        done = subprocess.run(
            ["bash", "-c", f"trap 'pwd > {ended}' EXIT\n{script}"],
            cwd=start,
            env={**self.environment, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        # A shell that became another program has written nothing.
        where = type(start)(ended.read_text("utf-8").strip()) if ended.exists() else start
        ended.unlink(missing_ok=True)
        return Answer(done.returncode, os.fsdecode(done.stdout), where)

    def prepare(self, script: str, place: Path | None = None) -> Path:
        """Run a script that must succeed; return where it ended."""
        answer = self.run(f"set -eu\n{script}", place)
        assert answer.code == 0, answer.out
        return answer.place

    def run_console(self, block: Block, place: Path) -> tuple[list[str], Path]:
        """Run the commands of a `console` block in one shell; return what each wrote."""
        commands = [f"{{ {step.command}\n}} 2>&1\nprintf '{MARK}'\n" for step in steps(block)]
        answer = self.run("".join(commands), place)
        return answer.out.split(MARK)[:-1], answer.place
