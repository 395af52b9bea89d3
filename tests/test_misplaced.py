"""Files in `__pycache__` that are not bytecode.

At least 155 public repositories keep a `__pycache__/main.py`, and one has no other program; glances
4.5.3 ships an empty `__pycache__/__init__.py`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from helpers.make_archive import make_zip
from helpers.make_pyc import matching_pyc
from helpers.report_parser import fix_commands, parse_report, run_fixes
from pycache_guard.misplaced import choose_targets, describe_kind, is_misplaced, move_commands

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run
    from helpers.repo import Repo

FILE, LINK, SUBMODULE = "100644", "120000", "160000"
IN = "a file in `__pycache__` that is not bytecode"
TEXT = b"import os\n"
BYTECODE = matching_pyc()[:64]
#: Path, mode, first bytes, what it is called; `None` for bytecode.
TABLE = [
    ("__pycache__/main.py", FILE, TEXT, IN),
    ("g/__pycache__/__init__.py", FILE, b"", IN),
    ("p/__pycache__/README.md", FILE, TEXT, IN),
    ("p/__pycache__/.gitkeep", FILE, b"", IN),
    ("p/__pycache__/.gitignore", FILE, b"*", IN),
    ("p/__pycache__/data.json", FILE, b"{}", IN),
    ("p/__pycache__/sub/deep/x.py", FILE, TEXT, IN),
    ("p/__PyCache__/main.py", FILE, TEXT, IN),
    ("p/__pycache__/x.pyc.bak", FILE, TEXT, IN),
    ("p/__pycache__/x.pyd", FILE, b"MZ", IN),
    # Coverage's and mypy's files have directories of their own: here they are somebody's.
    ("p/__pycache__/.coverage", FILE, b"SQLite format 3", IN),
    ("p/__pycache__/m.data.json", FILE, b"{}", IN),
    ("p/__pycache__/logo.png", FILE, BYTECODE, None),
    ("p/__pycache__/main.py", FILE, BYTECODE, None),
    # Names of caches, whatever they hold.
    ("p/__pycache__/m.cpython-313.pyc", FILE, TEXT, None),
    ("p/__pycache__/m.pyc", FILE, b"", None),
    ("p/__pycache__/M.PYO", FILE, b"", None),
    ("p/__pycache__/m$py.class", FILE, b"", None),
    ("p/__pycache__/toolcpython-312.pyc", FILE, b"", None),
    ("p/__pycache__/t.cpython-36-PYTEST.pyc", FILE, b"", None),
    ("p/__pycache__/m.cpython-313.pyc.140162621172480", FILE, b"", None),
    ("p/__pycache__/m.f-3.py312.nbi", FILE, b"", None),
    ("p/__pycache__/m.f-3.py312.1.nbc", FILE, b"", None),
    ("p/__pycache__/m.f-3.py312.nbi.tmp.0123", FILE, b"", None),
    ("p/__pycache__/core.cpython-312.lpyc", FILE, b"", None),
    # Elsewhere nothing is.
    ("p/main.py", FILE, TEXT, None),
    ("p/m.pyc", FILE, TEXT, None),
    ("p/pycache/main.py", FILE, TEXT, None),
    # The name itself.
    ("p/__pycache__", FILE, b"", "a file named `__pycache__` that is not bytecode"),
    ("__pycache__", FILE, BYTECODE, None),
    ("p/__pycache__", LINK, b"../cache", None),
    ("p/__pycache__", SUBMODULE, b"", "a submodule named `__pycache__` that is not bytecode"),
    # Links and submodules inside.
    (
        "p/__pycache__/main.py",
        LINK,
        b"../main.py",
        "a symbolic link in `__pycache__` that is not bytecode",
    ),
    ("p/__pycache__/m.cpython-313.pyc", LINK, b"../x", None),
    ("p/__pycache__/lib", SUBMODULE, b"", "a submodule in `__pycache__`"),
    ("p/m.pyc", SUBMODULE, b"", None),
]


@pytest.mark.parametrize(("path", "mode", "head", "kind"), TABLE)
def test_is_misplaced_table(path: str, mode: str, head: bytes, kind: str | None) -> None:
    assert is_misplaced(path, head, mode) is (kind is not None)
    if kind is not None:
        assert describe_kind(path, mode) == kind


@pytest.mark.parametrize(
    ("paths", "taken", "expected"),
    [
        (["__pycache__/main.py"], [], ["main.py"]),
        (["a/__pycache__/main.py"], [], ["a/main.py"]),
        (["a/__pycache__/main.py"], ["a/main.py"], ["a/main_1.py"]),
        (["a/__pycache__/main.py"], ["a/main.py", "a/main_1.py"], ["a/main_2.py"]),
        (["a/__pycache__/b/__pycache__/c/x.py"], [], ["a/x.py"]),
        (["a/__pycache__/b/x.py", "a/__pycache__/c/X.PY"], [], ["a/x.py", "a/X_1.PY"]),
        (["a/__pycache__/__init__.py"], ["a/__init__.py"], ["a/__init___1.py"]),
        (["a/__pycache__/.gitkeep"], ["a/.gitkeep"], ["a/.gitkeep_1"]),
        (["a/__pycache__/Makefile"], ["a/makefile"], ["a/Makefile_1"]),
        (["a/__pycache__"], [], ["a/pycache"]),
    ],
)
def test_choose_targets_finds_free_paths(
    paths: list[str], taken: list[str], expected: list[str]
) -> None:
    targets = choose_targets(paths, lambda path: path.lower() in taken)
    assert [targets[path] for path in paths] == expected


def test_move_commands_split_long_lists() -> None:
    paths = [f"__pycache__/{'x' * 90}{n}.py" for n in range(100)]
    commands = move_commands(choose_targets(paths, lambda _: False), rooted=False)
    assert set(commands) == set(paths)
    assert 1 < len(set(commands.values())) < 5
    assert all(command.endswith(" .") for command in commands.values())
    assert max(map(len, commands.values())) < 4200


ODD = ["main.py", "sp ace.py", "-rf.py", "quo'te.py", "$(x).py", "new\nline.py", "*.py", ":x.py"]


@pytest.mark.parametrize("where", ["", "below"])
def test_printed_command_moves_every_file(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    for name in ODD:
        repo.add(f"a/__pycache__/{name}", name)
    repo.add("a/main.py", "another")
    repo.add("a/__pycache__/m.cpython-313.pyc", matching_pyc())
    repo.write("a/-rf.py", "not tracked")
    repo.write("below/x", "")
    monkeypatch.chdir(repo.path / where)
    result = run("forbid-bytecode")
    assert result.code == 1
    assert "__pycache__'" not in result.out
    run_fixes(result.out, repo.path / where)
    assert sorted(repo.tracked()) == sorted(
        ["a/main.py", "a/main_1.py", "a/-rf_1.py", *(f"a/{name}" for name in ODD[1:2] + ODD[3:])]
    )
    assert (repo.path / "a/main_1.py").read_text() == "main.py"
    assert (repo.path / "a/__pycache__/m.cpython-313.pyc").exists()
    assert run("forbid-bytecode").code == 0


def test_no_command_untracks_a_source_in_pycache(repo: Repo, run: Run) -> None:
    repo.add("__pycache__/main.py", "print(1)\n")
    repo.add("__pycache__/m.cpython-313.pyc", matching_pyc())
    repo.add(".gitignore", "__pycache__/\n*.py[co]\n")
    repo.commit()
    for argv in (("forbid-bytecode", "--fix"), ("fix",), ("fix", "--dry-run"), ("fix",)):
        result = run(*argv)
        assert result.code == 1
        assert f"__pycache__/main.py: PYC001 {IN} is tracked\n" in result.out
        assert "git mv -- __pycache__/main.py main.py" in result.out
        assert "__pycache__/main.py" in repo.tracked()
    assert "__pycache__/m.cpython-313.pyc" not in repo.tracked()


def test_fix_without_contents_keeps_files_of_other_names(repo: Repo, run: Run) -> None:
    repo.add("__pycache__/logo.png", matching_pyc())
    result = run("forbid-bytecode", "--content", "none", "--fix")
    assert [line.words for line in parse_report(result.out)] == [f"{IN} is tracked"]
    result = run("forbid-bytecode", "--content", "all", "--fix")
    assert [line.words for line in parse_report(result.out)] == [
        "untracked; the file stays on disk"
    ]


def test_misplaced_link_and_missing_file_get_a_sentence(repo: Repo, run: Run) -> None:
    repo.stage("__pycache__/link.py", "../m.py", mode="120000")
    repo.stage("__pycache__/gone.py", "x")
    result = run("forbid-bytecode")
    assert [line.words for line in parse_report(result.out)] == [
        f"{IN} is tracked; move it out of `__pycache__`",
        (
            "a symbolic link in `__pycache__` that is not bytecode is tracked;"
            " move it out of `__pycache__`"
        ),
    ]
    assert fix_commands(result.out) == []
    repo.commit()
    assert "git " not in run("forbid-bytecode", "--tree", "HEAD").out


def test_file_named_pycache_is_renamed(repo: Repo, run: Run) -> None:
    repo.add("a/__pycache__", "")
    assert "git mv -- a/__pycache__ a/pycache" in run("forbid-bytecode").out
    repo.commit()
    result = run("forbid-bytecode", "--tree", "HEAD")
    assert [line.words for line in parse_report(result.out)] == [
        "a file named `__pycache__` that is not bytecode is tracked; rename it"
    ]


def test_submodule_in_pycache_is_moved(
    repo: Repo, run: Run, make_repo: object, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    repo.git("init", "-q", os.fspath(other))
    repo.git("-C", os.fspath(other), "commit", "-q", "--allow-empty", "-m", "x")
    repo.git(
        *("-c", "protocol.file.allow=always", "submodule", "add", "-q", "-f"),
        *(os.fspath(other), "p/__pycache__/lib"),
    )
    result = run("forbid-bytecode", "--fix")
    assert parse_report(result.out)[0].words == "a submodule in `__pycache__` is tracked"
    run_fixes(result.out, repo.path)
    assert "p/lib" in repo.tracked()
    assert run("forbid-bytecode").code == 0


def test_history_does_not_advise_to_delete_a_source(repo: Repo, run: Run) -> None:
    repo.add("__pycache__/main.py", "print(1)\n")
    repo.add("__pycache__/m.cpython-313.pyc", matching_pyc())
    repo.commit()
    result = run("check-history", "--all")
    assert result.code == 1
    assert f"{IN} comes in with commit" in result.out
    assert "move it out of `__pycache__`" in result.out
    assert not any("main.py" in command for command in fix_commands(result.out))


def test_dist_reports_a_source_in_pycache_as_misplaced(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = {
        "g/__pycache__/main.py": TEXT,
        "g/__pycache__/logo.png": matching_pyc(),
        "g-1.dist-info/METADATA": b"Name: g\nVersion: 1\n",
        "g-1.dist-info/RECORD": b"g/__pycache__/gone.py,,\n",
    }
    (tmp_path / "g-1-py3-none-any.whl").write_bytes(make_zip(names))
    words = [line.words for line in parse_report(run("check-dist", "g-1-py3-none-any.whl").out)]
    assert len([line for line in words if "logo.png" in line]) == 1
    assert not any("main.py`: " in line or "gone.py" in line for line in words)
