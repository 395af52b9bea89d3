from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from helpers.repo import BYTECODE
from helpers.report_parser import CLEAN

if TYPE_CHECKING:
    from conftest import Run
    from helpers.repo import Repo

FIX = ("forbid-bytecode", "--fix")
DONE = "PYC001 untracked; the file stays on disk\n"
ALLOW = (
    "To keep a file on purpose, add it to `allow` in pyproject.toml: pycache-guard explain PYC001\n"
)
COMMIT = '\nNow commit:\n    git commit -m "Untrack bytecode"\n'
posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes, devices and links")


class TestUntracking:
    def test_untracked_files_stay_in_the_work_tree(self, repo: Repo, run: Run) -> None:
        """Also one whose content differs in file, index and HEAD."""
        repo.add("a.pyc", "1")
        repo.commit()
        repo.add("a.pyc", "2")
        repo.write("a.pyc", "3")
        repo.add("b/__pycache__/c.pyc")
        repo.add("b/c.py")
        assert run(*FIX, "--quiet") == (1, f"a.pyc: {DONE}b/__pycache__/c.pyc: {DONE}{COMMIT}", "")
        assert repo.tracked() == ["b/c.py"]
        assert (repo.path / "a.pyc").read_text() == "3"
        assert (repo.path / "b/__pycache__/c.pyc").exists()
        assert run(*FIX) == CLEAN

    def test_content_findings_are_not_untracked(self, repo: Repo, run: Run) -> None:
        repo.add("a.pyc")
        repo.add("ok.pyc")
        repo.add("x", BYTECODE)
        out = run(*FIX, "--allow", "ok.pyc", "--allow", "no").out
        assert repo.tracked() == ["ok.pyc", "x"]
        assert out.startswith("PYC003 ")
        assert f"a.pyc: {DONE}x: PYC002 contains" in out
        assert "    git rm -r -f --cached -- x\n" in out

    def test_content_findings_alone_change_nothing(self, repo: Repo, run: Run) -> None:
        repo.add("x", BYTECODE)
        assert run(*FIX) == run("forbid-bytecode")
        assert repo.tracked() == ["x"]

    def test_staged_option_untracks_only_staged_files(self, repo: Repo, run: Run) -> None:
        repo.add("old.pyc")
        repo.commit()
        repo.add("new.pyc")
        assert run(*FIX, "--staged").code == 1
        assert repo.tracked() == ["old.pyc"]

    def test_odd_paths_are_untracked(self, repo: Repo, run: Run) -> None:
        odd = [b"\xff.pyc", b"\n.pyc", b":(top).pyc", b"*.pyc", b"-f.pyc", b'"\\n".pyc']
        repo.stage_all(["keep.py", *map(os.fsdecode, odd)])
        assert run(*FIX).code == 1
        assert repo.tracked() == ["keep.py"]

    def test_subdirectory_untracks_the_whole_repository(
        self, repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        repo.add("a.pyc")
        repo.add("d/a.pyc")
        monkeypatch.chdir(repo.path / "d")
        assert run(*FIX).code == 1
        assert repo.tracked() == []

    def test_links_and_submodules_are_untracked(self, repo: Repo, run: Run) -> None:
        commit = repo.commit()
        repo.stage("link.pyc", "target", mode="120000")
        repo.stage("sub.pyc", commit, mode="160000")
        assert run(*FIX).code == 1
        assert repo.tracked() == []

    def test_conflicted_path_is_untracked(self, repo: Repo, run: Run) -> None:
        repo.commit()
        for stage in (1, 2, 3):
            repo.stage("a.pyc", f"{stage}", stage=stage)
        assert run(*FIX).out.count("a.pyc: ") == 1
        assert repo.tracked() == []

    def test_path_outside_a_sparse_checkout_is_untracked(self, repo: Repo, run: Run) -> None:
        repo.add("out/a.pyc")
        repo.add("in/a.py")
        repo.commit()
        repo.make_sparse("in", is_cone=True)
        assert run(*FIX).code == 1
        assert repo.tracked() == ["in/a.py"]

    def test_locked_index_is_a_failure(self, repo: Repo, run: Run) -> None:
        repo.add("a.pyc")
        repo.write(".git/index.lock")
        code, out, err = run(*FIX)
        assert (code, out) == (2, "")
        assert err.startswith("error: git update-index: Unable to create ")
        assert err.count("\n") == 1
        assert repo.tracked() == ["a.pyc"]

    def test_tree_cannot_be_fixed(self, repo: Repo, run: Run) -> None:
        repo.commit()
        code, out, err = run(*FIX, "--tree", "HEAD")
        assert (code, out) == (2, "")
        assert err.startswith("error: --fix changes the index: it does not go with --tree")


def test_temporary_index_is_not_fixed(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.add("a.pyc")
    repo.add("x", BYTECODE)
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/next-index-1.lock")
    repo.add("a.pyc")
    repo.add("x", BYTECODE)
    code, out, err = run(*FIX)
    assert (code, err) == (1, "")
    assert out.startswith(
        "a.pyc: PYC001 bytecode is tracked; not untracked, since this commit has an index of its"
        " own\nx: PYC002 contains "
    )
    assert "    git rm -r -f --cached -- a.pyc\n" in out
    assert repo.tracked() == ["a.pyc", "x"]


@posix
class TestUnderCommit:
    """As a hook of git's own, which stands at the top with `GIT_INDEX_FILE` set."""

    @pytest.fixture
    def hooked(self, repo: Repo) -> Repo:
        repo.add("a.pyc", "1")
        repo.add("b.py", "1")
        repo.commit()
        code = f"from pycache_guard.cli import main; raise SystemExit(main({[*FIX]!r}))"
        hook = repo.write(".git/hooks/pre-commit", f'#!/bin/sh\n"{sys.executable}" -c "{code}"\n')
        hook.chmod(0o755)
        repo.write("a.pyc", "2")
        repo.write("b.py", "2")
        return repo

    def commit(self, repo: Repo, *argv: str) -> str:
        done = subprocess.run(
            ["git", "commit", "-q", "-m", "m", *argv],
            cwd=repo.path,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 1
        assert repo.git("rev-list", "--count", "HEAD") == "1"
        return os.fsdecode(done.stdout + done.stderr)

    def test_plain_commit_is_fixed_by_the_hook(self, hooked: Repo) -> None:
        hooked.git("add", "-u")
        assert self.commit(hooked) == (
            f"a.pyc: {DONE}{COMMIT}\nDone: 2 tracked files checked, 2 new ones read.\n"
        )
        assert hooked.tracked() == ["b.py"]
        assert (hooked.path / "a.pyc").read_text() == "2"
        hooked.git("commit", "-q", "-m", "m")
        assert hooked.git("ls-tree", "--name-only", "HEAD") == "b.py"

    @pytest.mark.parametrize("argv", [("-a",), ("b.py",), ("-i", "b.py"), ("-o", "a.pyc")])
    def test_commit_with_its_own_index_is_refused_by_the_hook(
        self, hooked: Repo, argv: tuple[str, ...]
    ) -> None:
        before = hooked.git("ls-files", "-s")
        out = self.commit(hooked, *argv)
        assert out.startswith(
            "a.pyc: PYC001 bytecode is tracked; not untracked, since this commit has an index of"
            f" its own\n\nTo fix:\n    git rm -r -f --cached -- a.pyc\n{ALLOW}\nFound 1 problem ("
        )
        assert out.count("\n") == 7
        assert hooked.git("ls-files", "-s") == before
