"""Which findings of `verify-bytecode` can be left out, and that a forgery cannot."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from helpers.make_pyc import (
    EVIL,
    INNOCENT,
    cache_path,
    compile_source,
    forged_pyc,
    hash_pyc,
    matching_pyc,
    timestamp_pyc,
    write_file,
)

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run
    from helpers.repo import Repo

TRUE = INNOCENT.encode()
#: One file for each rule that can be ignored, and one that cannot.
FILES = {
    "PYC201": (cache_path("stale"), timestamp_pyc(compile_source(INNOCENT), len(TRUE) + 9)),
    "PYC202": (cache_path("forged"), forged_pyc()),
    "PYC203": (cache_path("unchecked"), hash_pyc(compile_source(INNOCENT), TRUE, checked=False)),
    "PYC204": ("sourceless.pyc", matching_pyc()),
    "PYC205": (cache_path("gone"), matching_pyc()),
    "PYC206": (cache_path("malformed"), matching_pyc()[:-1]),
    "PYC207": ("__pycache__/tag.cpython-36.pyc", matching_pyc()),
}
CAN_BE_IGNORED = [code for code in FILES if code != "PYC202"]


def plant(top: Path) -> None:
    for path, data in FILES.values():
        write_file(top / path, data)
        module = path.rpartition("/")[2].partition(".")[0]
        if module not in ("sourceless", "gone"):
            write_file(top / f"{module}.py", INNOCENT)


def codes(out: str) -> list[str]:
    return sorted(finding["code"] for finding in json.loads(out)["findings"])


@pytest.mark.parametrize("code", CAN_BE_IGNORED)
def test_ignored_rule_is_not_reported(repo: Repo, run: Run, code: str) -> None:
    plant(repo.path)
    left = sorted(set(FILES) - {code})
    report = run("verify-bytecode", "--format", "json", "--ignore", code)
    assert (report.code, codes(report.out)) == (1, left)
    repo.write("pyproject.toml", f'[tool.pycache-guard]\nignore = ["{code}"]\n')
    report = run("verify-bytecode", "--format", "json")
    assert (report.code, codes(report.out)) == (1, left)


def test_ignoring_everything_leaves_the_forgery(repo: Repo, run: Run) -> None:
    plant(repo.path)
    everything = [word for code in CAN_BE_IGNORED for word in ("--ignore", code)]
    report = run("verify-bytecode", "--format", "json", *everything)
    assert (report.code, codes(report.out)) == (1, ["PYC202"])
    (repo.path / FILES["PYC202"][0]).unlink()
    assert run("verify-bytecode", *everything).code == 0


def test_allow_unverifiable_is_ignore_pyc205(repo: Repo, run: Run) -> None:
    plant(repo.path)
    report = run("verify-bytecode", "--format", "json", "--allow-unverifiable")
    assert report == run("verify-bytecode", "--format", "json", "--ignore", "PYC205")
    both = run("verify-bytecode", "--format", "json", "--allow-unverifiable", "--ignore", "PYC203")
    assert codes(both.out) == ["PYC201", "PYC202", "PYC204", "PYC206", "PYC207"]


@pytest.mark.parametrize("code", ["PYC202", "PYC001", "PYC999", "202", ""])
def test_what_cannot_be_ignored_is_an_error(repo: Repo, run: Run, code: str) -> None:
    assert run("verify-bytecode", "--ignore", code).code == 2
    repo.write("pyproject.toml", f'[tool.pycache-guard]\nignore = ["{code}"]\n')
    assert run("verify-bytecode").code == 2


def test_forgery_that_cannot_be_compared_passes_only_where_that_is_ignored(
    repo: Repo, run: Run
) -> None:
    """Who forges chooses: pytest runs a file of this name, and no compiler writes it."""
    write_file(repo.path / "m.py", INNOCENT)
    write_file(
        repo.path / cache_path(more="-pytest-8.0.0"),
        hash_pyc(compile_source(EVIL), TRUE, checked=True),
    )
    deep = f"x = {'-' * 90_000}1\n"
    write_file(repo.path / "deep.py", deep)
    write_file(repo.path / cache_path("deep"), timestamp_pyc(compile_source(EVIL), len(deep)))
    repo.git("add", "-f", ".")
    for tracked in ([], ["--tracked"]):
        report = run("verify-bytecode", "--format", "json", *tracked)
        assert (report.code, codes(report.out)) == (1, ["PYC205", "PYC205"])
        assert run("verify-bytecode", "--allow-unverifiable", *tracked).code == 0
