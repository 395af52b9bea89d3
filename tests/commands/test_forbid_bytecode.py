from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Program
    from conftest import Run
    from repo import Repo


def test_nothing_to_say(repo: Repo, run: Run, program: Program) -> None:
    repo.add("a.py", "x = 1\n")
    assert run("forbid-bytecode") == (0, "", "")
    assert program("forbid-bytecode") == (0, "", "")


def test_bytecode_is_told(repo: Repo, run: Run, program: Program) -> None:
    repo.add("a.pyc")
    told = run("forbid-bytecode")
    assert told == (
        1,
        "a.pyc: PYC001 bytecode is tracked\n\nTo mend:\n    git rm -r -f --cached -- a.pyc\n",
        "",
    )
    assert program("forbid-bytecode") == told
