"""`check-gitignore --fix`: it appends so that it wins, and loses nothing whatever happens."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from helpers.report_parser import CLEAN, EVERY_PROBE, fix_commands, parse_report, run_shell
from helpers.runners import SCRIPTS
from pycache_guard.gitignore.fix import read_ignore_file

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Program, Run
    from helpers.repo import Repo

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes, devices and links")

ADDED = ".gitignore: PYC101 added `__pycache__/`, `*.py[co]`\n"
STAGE = "\nTo fix:\n    git add -f -- .gitignore\n"

#: What was there, what is there afterwards.
CONTENTS = [
    (None, b"__pycache__/\n*.py[co]\n"),
    (b"", b"__pycache__/\n*.py[co]\n"),
    (b"\xef\xbb\xbf", b"\xef\xbb\xbf__pycache__/\n*.py[co]\n"),
    (b"*.so\n", b"*.so\n__pycache__/\n*.py[co]\n"),
    (b"*.so", b"*.so\n__pycache__/\n*.py[co]\n"),
    (b"*.so\r\n# x\r\n", b"*.so\r\n# x\r\n__pycache__/\r\n*.py[co]\r\n"),
    (b"*.so\r\n# x", b"*.so\r\n# x\r\n__pycache__/\r\n*.py[co]\r\n"),
    (b"a\r\nb\nc\nd", b"a\r\nb\nc\nd\n__pycache__/\n*.py[co]\n"),
    (b"a\rb\r", b"a\rb\r\n__pycache__/\n*.py[co]\n"),
    (b"\xef\xbb\xbf*.so", b"\xef\xbb\xbf*.so\n__pycache__/\n*.py[co]\n"),
    ("größe\n".encode("latin-1"), "größe\n__pycache__/\n*.py[co]\n".encode("latin-1")),
    (b"x\0y\n", b"x\0y\n__pycache__/\n*.py[co]\n"),
    (b"foo\\", b"foo\\\n__pycache__/\n*.py[co]\n"),
    (b"# foo", b"# foo\n__pycache__/\n*.py[co]\n"),
    (b"__pycache__/ # c\n*.pyc\t\n", b"__pycache__/ # c\n*.pyc\t\n__pycache__/\n*.py[co]\n"),
    (
        b"__pycache__/\n*.py[co]\n!**\n",
        b"__pycache__/\n*.py[co]\n!**\n__pycache__/\n*.py[co]\n",
    ),
]


@pytest.mark.parametrize(("before", "after"), CONTENTS, ids=[repr(b) for b, _ in CONTENTS])
def test_fix_appends_missing_lines(
    before: bytes | None, after: bytes, repo: Repo, run: Run
) -> None:
    repo.add("a.py")
    file = repo.path / ".gitignore"
    if before is not None:
        repo.add(".gitignore", before)
        file.chmod(0o640)
    result = run("check-gitignore", *EVERY_PROBE, "--fix")
    assert (result.code, result.err) == (1, "")
    assert result.out.startswith(ADDED + STAGE)
    assert file.read_bytes() == after
    if before is not None and os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert sorted(os.listdir(repo.path)) == [".git", ".gitignore", "a.py"]
    again = run("check-gitignore", *EVERY_PROBE, "--fix")
    assert again.code == 1
    assert "PYC103" in {f.code for f in parse_report(again.out)}
    assert fix_commands(again.out) == fix_commands(result.out)
    assert file.read_bytes() == after
    run_shell(*fix_commands(result.out), cwd=repo.path)
    assert run("check-gitignore", *EVERY_PROBE, "--fix") == CLEAN
    assert run("check-gitignore", *EVERY_PROBE) == CLEAN
    assert file.read_bytes() == after


@pytest.mark.parametrize(
    ("there", "said", "added"),
    [
        ("__pycache__/\n", "`*.py[co]`", "*.py[co]\n"),
        ("*.py[co]\n", "`__pycache__/`", "__pycache__/\n"),
        ("__pycache__/\n*.py[co]\n!*.pyc\n", "`*.py[co]`", "*.py[co]\n"),
    ],
)
def test_fix_appends_only_missing_lines(
    there: str, said: str, added: str, repo: Repo, run: Run
) -> None:
    repo.add(".gitignore", there)
    result = run("check-gitignore", *EVERY_PROBE, "--fix", "--quiet")
    assert result.out == f".gitignore: PYC101 added {said}\n{STAGE}"
    assert (repo.path / ".gitignore").read_text() == there + added


def test_fix_of_a_complete_file_changes_nothing(repo: Repo, run: Run) -> None:
    repo.add(".gitignore", "__pycache__/\n*.py[co]\n")
    before = (repo.path / ".gitignore").stat()
    assert run("check-gitignore", *EVERY_PROBE, "--fix") == CLEAN
    assert (repo.path / ".gitignore").stat() == before


def test_fix_keeps_an_unstaged_edit(repo: Repo, run: Run) -> None:
    repo.add(".gitignore", "staged\n")
    repo.write(".gitignore", "on disk")
    assert run("check-gitignore", *EVERY_PROBE, "--fix").code == 1
    assert (repo.path / ".gitignore").read_text() == "on disk\n__pycache__/\n*.py[co]\n"


@pytest.mark.parametrize("absence", ["sparse", "skipped", "deleted"])
@pytest.mark.parametrize("is_fixed", [True, False])
def test_fix_keeps_the_content_of_a_file_that_is_not_on_disk(
    absence: str, is_fixed: bool, repo: Repo, run: Run
) -> None:
    """Git before 2.34 has no `--sparse`, and none adds a file whose entry has the skip-worktree bit."""
    repo.add(".gitignore", "/secret\n")
    repo.add("in/a.py")
    repo.commit()
    if absence == "sparse":
        repo.make_sparse("in", is_cone=False)
    else:
        (repo.path / ".gitignore").unlink()
    if absence == "skipped":
        repo.git("update-index", "--skip-worktree", ".gitignore")
    result = run("check-gitignore", *EVERY_PROBE, *["--fix"] * is_fixed)
    run_shell(*fix_commands(result.out), cwd=repo.path)
    assert (repo.path / ".gitignore").read_text() == "/secret\n__pycache__/\n*.py[co]\n"
    assert run("check-gitignore", *EVERY_PROBE) == CLEAN


def test_fix_leaves_a_nested_file_that_reincludes_bytecode(repo: Repo, run: Run) -> None:
    """What helps elsewhere is done; the rest is named, and left alone."""
    repo.add("pkg/a.py")
    repo.add("pkg/.gitignore", "!*.pyc\n")
    result = run("check-gitignore", *EVERY_PROBE, "--fix")
    assert [(f.place, f.code) for f in parse_report(result.out)] == [
        (".gitignore", "PYC101"),
        ("pkg/.gitignore:1", "PYC102"),
    ]
    assert (repo.path / "pkg" / ".gitignore").read_text() == "!*.pyc\n"
    run_shell(fix_commands(result.out)[0], cwd=repo.path)
    content = (repo.path / ".gitignore").read_text()
    result = run("check-gitignore", *EVERY_PROBE, "--fix")
    assert [(f.place, f.code) for f in parse_report(result.out)] == [("pkg/.gitignore:1", "PYC102")]
    assert (repo.path / ".gitignore").read_text() == content
    run_shell(*fix_commands(result.out), cwd=repo.path)
    assert run("check-gitignore", *EVERY_PROBE, "--fix") == CLEAN


@posix
@pytest.mark.parametrize("command", [["check-gitignore", "--fix"], ["fix"], ["fix", "--dry-run"]])
def test_fix_does_not_write_to_links_and_special_files(
    command: list[str], repo: Repo, run: Run, tmp_path: Path
) -> None:
    repo.add("a.py")
    file = repo.path / ".gitignore"
    target = tmp_path / "target"
    target.write_text("target\n")

    def refused() -> str:
        result = run(*command)
        assert (result.code, result.out) == (2, "")
        return result.err

    file.symlink_to(target)
    assert refused() == "error: ./.gitignore: is a symbolic link; nothing was written\n"
    file.unlink()
    file.symlink_to("nowhere")
    assert refused() == "error: ./.gitignore: is a symbolic link; nothing was written\n"
    file.unlink()
    file.mkdir()
    assert refused() == "error: ./.gitignore: is a directory; nothing was written\n"
    file.rmdir()
    os.mkfifo(file)
    assert refused() == "error: ./.gitignore: is not a regular file; nothing was written\n"
    file.unlink()
    file.write_text("x\n")
    file.chmod(0o444)
    assert refused() == "error: ./.gitignore: is read-only; nothing was written\n"
    assert file.read_text() == "x\n"
    file.chmod(0o644)
    file.write_bytes("x\n".encode("utf-16"))
    assert refused() == (
        "error: .gitignore: is UTF-16; git cannot read patterns in it: convert it to UTF-8 first\n"
    )
    assert target.read_text() == "target\n"


@posix
def test_fix_does_not_follow_a_link_that_appears_while_it_runs(
    tmp_path: Path, repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the read: an error. Between the read and the write: it is replaced."""
    target = tmp_path / "target"
    target.write_text("secret\n")
    repo.add("a.py")
    repo.add(".gitignore", "x\n")
    file = repo.path / ".gitignore"

    def swap() -> bool:
        file.unlink()
        file.symlink_to(target)
        return True

    replace = os.replace

    def replace_late(source: str, destination: str) -> None:
        swap()
        replace(source, destination)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", replace_late)
        assert run("check-gitignore", *EVERY_PROBE, "--fix").code == 1
    assert not file.is_symlink()
    assert file.read_text() == "x\n__pycache__/\n*.py[co]\n"
    assert target.read_text() == "secret\n"
    with monkeypatch.context() as patched:
        patched.setattr("pycache_guard.gitignore.fix.stat_replaceable", lambda _: swap())
        with pytest.raises(OSError, match="symbolic link"):
            read_ignore_file(os.fspath(file), ".gitignore", "git")


def test_fix_in_a_subdirectory_writes_the_top_file(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.add("a b/m.py")
    monkeypatch.chdir(repo.path / "a b")
    result = run("check-gitignore", *EVERY_PROBE, "--fix", "--quiet")
    assert (
        result.out
        == f'{ADDED}\nTo fix:\n    (cd "$(git rev-parse --show-toplevel)" && git add -f -- .gitignore)\n'
    )
    run_shell(*fix_commands(result.out), cwd=repo.path / "a b")
    assert run("check-gitignore", *EVERY_PROBE) == CLEAN


def test_fix_appends_only_required_lines(repo: Repo, run: Run) -> None:
    assert run("check-gitignore", "--fix", *EVERY_PROBE[:4]).code == 1
    assert (repo.path / ".gitignore").read_text() == "__pycache__/\n"


def test_fix_of_a_file_that_ignores_itself_is_staged(repo: Repo, run: Run) -> None:
    repo.write(".gitignore", ".gitignore\n")
    run_shell(*fix_commands(run("check-gitignore", *EVERY_PROBE, "--fix").out), cwd=repo.path)
    assert run("check-gitignore", *EVERY_PROBE) == CLEAN


@posix
def test_fix_on_a_full_disk_keeps_the_old_file(repo: Repo) -> None:
    """A limit of the size of files stands for it; whatever the limit, the file is whole or old.

    `-B`, or Python writes caches that are cut short, and trips over them ever after.
    """
    old = "*.so\n" * 100
    repo.add(".gitignore", old)
    code = (
        "import resource, sys\n"
        "from pycache_guard.fs import atomic\n"
        "from pycache_guard.cli import main\n"
        "def limited(*args, write=atomic._write_and_sync):\n"
        "    limit = int(sys.argv[1])\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))\n"
        "    write(*args)\n"
        "atomic._write_and_sync = limited\n"
        "raise SystemExit(main(['check-gitignore', '--fix']))\n"
    )
    new = len(old) + len("__pycache__/\n*.py[co]\n")
    for limit in (0, 1, len(old), new - 1):
        command = [sys.executable, "-B", "-c", code, str(limit)]
        done = subprocess.run(command, capture_output=True, check=False, cwd=repo.path)
        assert (done.returncode, done.stdout, done.stderr) == (
            2,
            b"",
            b"error: ./.gitignore: File too large; nothing was written\n",
        )
        assert (repo.path / ".gitignore").read_text() == old
        assert sorted(os.listdir(repo.path)) == [".git", ".gitignore"]


@posix
def test_fix_that_cannot_write_at_all_ends_with_2(repo: Repo) -> None:
    """Nothing can be put to git, so nothing is proven."""
    repo.add(".gitignore", "*.so\n")
    command = f"ulimit -f 0; exec {SCRIPTS}/pycache-guard check-gitignore"
    for option in ("", " --fix"):
        done = subprocess.run(
            ["bash", "-c", command + option], capture_output=True, check=False, cwd=repo.path
        )
        assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
        assert done.stderr.startswith(b"error: ")
        assert (repo.path / ".gitignore").read_text() == "*.so\n"


@pytest.mark.skipif(shutil.which("strace") is None, reason="there is no strace")
def test_fix_that_is_killed_leaves_the_old_or_the_new_file(tmp_path: Path) -> None:
    """The file is old or new, never in between; what is left over lies beside it."""
    file = tmp_path / ".gitignore"
    code = f"from pycache_guard.fs.atomic import write_atomic; write_atomic({str(file)!r}, b'new')"
    killed = []
    for call in ("write", "fchown", "chmod", "fchmodat", "fsync", "rename", "renameat", "unlink"):
        file.write_text("old")
        inject = f"inject=?{call}:signal=KILL:when=1"
        command = ["strace", "-qq", "-o", os.devnull, "-e", inject, sys.executable, "-c", code]
        done = subprocess.run(command, capture_output=True, check=False)
        assert (done.returncode, file.read_text()) in ((0, "new"), (-9, "old"))
        killed += [call] * (done.returncode == -9)
    assert {"write", "fsync"} < {*killed}
    assert {"rename", "renameat"} & {*killed}


def test_fix_works_as_a_program(repo: Repo, program: Program) -> None:
    assert program("check-gitignore", *EVERY_PROBE, "--fix", "--quiet") == (1, ADDED + STAGE, "")
