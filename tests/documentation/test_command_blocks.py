"""Every command of the documentation, run as it is printed, in a place prepared for it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from documentation import doc_setups
from documentation.blocks import blocks_of_page, output_matches, steps
from documentation.doc_cases import CASES, EXCLUDED, PUSHES_ITSELF, REFUSES_A_PUSH, SEQUENTIAL_PAGES
from helpers.runners import ROOT
from pycache_guard import remedies

if TYPE_CHECKING:
    from documentation.blocks import Block
    from documentation.doc_cases import DocCase
    from documentation.sandbox import Sandbox

COMMANDS = [
    block for block in blocks_of_page("sh", "console") if block.page not in SEQUENTIAL_PAGES
]


def block_of(page: str, begins: str) -> list[Block]:
    """Return the blocks that a play or a reason is about."""
    return [b for b in COMMANDS if b.page == page and b.begins.startswith(begins)]


def plays_of(block: Block) -> list[object]:
    """Return what is done with a block."""
    played = [p for p in CASES if p.page == block.page and block.begins.startswith(p.begins)]
    apart = [
        why
        for (page, b), why in EXCLUDED.items()
        if (page, block.begins[: len(b)]) == (block.page, b)
    ]
    return [*played, *apart]


@pytest.mark.parametrize("block", COMMANDS, ids=[block.name for block in COMMANDS])
def test_no_block_is_passed_over(block: Block) -> None:
    assert len(plays_of(block)) == 1


def test_every_entry_is_about_a_block() -> None:
    keys = [(play.page, play.begins) for play in CASES] + list(EXCLUDED)
    assert [key for key in keys if not block_of(*key)] == []


@pytest.fixture
def bench(stage: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """Add what a block takes for granted: other Pythons, which are this one, and a module path."""
    bench = tmp_path_factory.mktemp("bench")
    for name in ("python3.13", "python3.16"):
        (bench / name).symlink_to(sys.executable)
    path = os.pathsep.join([stage.environment["PATH"], os.fspath(bench)])
    more = {"PATH": path, "BENCH": os.fspath(bench), "PYTHONPATH": os.fspath(bench)}
    return stage._replace(environment={**stage.environment, **more})


@pytest.mark.parametrize("play", CASES, ids=[f"{p.page}: {p.begins}" for p in CASES])
def test_it_does_what_is_printed(bench: Sandbox, play: DocCase) -> None:
    (block,) = block_of(play.page, play.begins)
    place = bench.prepare(play.setup)
    if block.language == "console":
        real, place = bench.run_console(block, place)
        for step, said in zip(steps(block), real, strict=True):
            assert output_matches(step.answer, said), f"{block.name}: $ {step.command}\n{said}"
        return
    codes = bench.place / ".codes"
    lines = [line for line in block.text.splitlines() if not line.startswith("#")]
    script = "".join(f'{line}\necho "[$?]" >> {codes}\n' for line in lines)
    answer = bench.run(f"{script}set -eu\n{play.check}", place)
    expected = [f"[{code}]" for code in play.codes or (0,) * len(lines)]
    assert codes.read_text("ascii").split() == expected, answer.out
    assert answer.code == 0, answer.out


def test_hook_of_several_parts(bench: Sandbox) -> None:
    """A script is put where the page says; the other part gets the same lines."""
    (block,) = block_of("docs/server.md", "#!/bin/sh")
    place = bench.prepare(doc_setups.SERVER)
    (place / "hooks" / "pre-receive").write_text(block.text, "utf-8")
    (place / "hooks" / "pre-receive").chmod(0o755)
    other = bench.place / "other"
    other.mkdir()
    (other / "other-check").write_text(f"#!/bin/sh\ngrep refs/heads/main >> {other}/lines\n")
    (other / "other-check").chmod(0o755)
    path = f"{other}{os.pathsep}{bench.environment['PATH']}"
    answer = bench.run(f"set -eu\n{REFUSES_A_PUSH}", place, PATH=path)
    assert answer.code == 0, answer.out
    assert (other / "lines").read_text("ascii").count("\n") == 1


def test_push_hook_of_several_parts(bench: Sandbox) -> None:
    """The other part reads the lines too; each part sees all of them."""
    (block,) = block_of("docs/history.md", "#!/bin/sh")
    place = bench.prepare(doc_setups.PROJECT)
    hook = place / ".git" / "hooks" / "pre-push"
    hook.write_text(block.text, "utf-8")
    hook.chmod(0o755)
    other = bench.place / "lfs"
    other.mkdir()
    (other / "git-lfs").write_text(f"#!/bin/sh\ngrep refs/heads/main >> {other}/lines\n")
    (other / "git-lfs").chmod(0o755)
    path = f"{other}{os.pathsep}{bench.environment['PATH']}"
    answer = bench.run(f"set -eu\n{PUSHES_ITSELF}", place, PATH=path)
    assert answer.code == 0, answer.out
    assert (other / "lines").read_text("ascii").count("\n") == 1


def test_what_another_program_is_told() -> None:
    (block,) = block_of("docs/history.md", "clone=$(mktemp -d)")
    path = "pkg/__pycache__/m.cpython-313.pyc"
    assert block.text == f"{remedies.rewrite_history([path], 'origin', is_bare=False)}\n"


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_ci_begins_with_what_is_printed(page: str) -> None:
    (block,) = block_of(page, "python3 -m venv .venv")
    assert block.text in (ROOT / ".ci" / "run").read_text("utf-8")
