"""`pycache-guard ci`: three checks, one exit code, one report."""

from __future__ import annotations

import errno
import json
import os
import sys
from typing import TYPE_CHECKING, NoReturn

import pytest

from helpers.repo import BYTECODE
from helpers.report_parser import CLEAN, run_fixes
from pycache_guard import compat, scan
from pycache_guard.commands import _index_child, ci
from pycache_guard.commands._forks import ChildFailure
from pycache_guard.commands._index_child import decode_examined, encode_examined, examine_in_child
from pycache_guard.git import spawn
from pycache_guard.scan import LFS_POINTER, Contents, Examined, Unread

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Run
    from helpers.repo import Repo

ALLOW = '[tool.pycache-guard]\nallow = [{path = "**", reason = "all"}]\n'


@pytest.fixture
def base(repo: Repo) -> str:
    """Make a clean commit; return its id."""
    repo.add(".gitignore", "__pycache__/\n*.py[co]\n")
    repo.add("a.py", "x = 1\n")
    return repo.commit("base")


def test_all_checks_report_in_one_run(repo: Repo, run: Run, base: str) -> None:
    """The index by path and by content, the ignore rules, and a commit that is gone again."""
    repo.add("gone.pyc", BYTECODE)
    repo.commit("add")
    repo.git("rm", "-q", "gone.pyc")
    repo.add(".gitignore", "")
    repo.add("logo.png", BYTECODE)
    repo.add("a.pyc", BYTECODE)
    repo.commit("more")
    result = run("ci", "--range", f"{base}..HEAD", "--format", "json")
    report = json.loads(result.out)
    assert (result.code, result.err) == (1, "")
    assert [(f["code"], f["path"], bool(f["commit"])) for f in report["findings"]] == [
        ("PYC001", "gone.pyc", True),
        ("PYC001", "a.pyc", True),
        ("PYC002", "logo.png", True),
        ("PYC101", ".gitignore", False),
        ("PYC001", "a.pyc", False),
        ("PYC002", "logo.png", False),
    ]
    assert report["command"] == "ci"
    assert (report["checked"], report["directories"], report["commits"]) == (4, 2, 2)
    assert (report["system"], report["range"]) == (None, f"{base}..HEAD")
    assert report["config_from"] == base
    text = run("ci", "--range", f"{base}..HEAD").out
    assert "Found 6 problems (4 tracked files checked, 4 read, 2 directories checked, 2 " in text
    assert f"Allow entries are those of {base}; merge an allow entry before the bytecode." in text


def test_commands_work_one_after_the_other(repo: Repo, run: Run, base: str) -> None:
    """The rewriting of commits refuses staged changes, so it is first, and it cleans the index too."""
    repo.add("old.pyc", BYTECODE)
    base = repo.commit("before")
    repo.add("a.pyc", BYTECODE)
    repo.add(".gitignore", "")
    repo.commit("more")
    options = ("ci", "--range", f"{base}..HEAD")
    report = json.loads(run(*options, "--format", "json").out)
    fixes = {(f["path"], bool(f["commit"])): f["remedy"] for f in report["findings"]}
    assert fixes["a.pyc", False] == "the command for its commit removes it here too"
    assert fixes["old.pyc", False] == "git rm -r -f --cached -- old.pyc"
    run_fixes(run(*options).out, repo.path)
    repo.commit("fixed")
    assert run(*options) == CLEAN


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a process of its own check the index."""
    if not compat.HAS_FORK:
        pytest.skip("needs fork(2)")
    monkeypatch.setattr(_index_child, "LARGE_INDEX_BYTES", 0)
    monkeypatch.setattr(compat, "count_processors", lambda: 2)


POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 1\n"
#: Changes of a repository that `base` has made.
STATES: dict[str, Callable[[Repo], object]] = {
    "clean": lambda _: None,
    "findings": lambda repo: [repo.add("a.pyc", BYTECODE), repo.add("\udcff.png", BYTECODE)],
    "a pointer of LFS": lambda repo: repo.add("x", POINTER),
    "a missing blob": lambda repo: repo.git(
        "update-index", "--add", "--cacheinfo", f"100644,{'1' * 40},x"
    ),
    "a wrong configuration": lambda repo: repo.add("pyproject.toml", "[tool.pycache-guard]\nx=1\n"),
    "a damaged index": lambda repo: repo.write(".git/index", b"DIRC" + bytes(20)),
}


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("state", STATES)
def test_child_changes_no_report(
    state: str, repo: Repo, run: Run, base: str, request: pytest.FixtureRequest
) -> None:
    STATES[state](repo)
    options = ("ci", "--range", base, "--format", "json")
    alone = run(*options)
    request.getfixturevalue("child")
    assert run(*options) == alone


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.usefixtures("child")
def test_check_of_a_child_that_is_ended_is_done_here(
    run: Run, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_index_child, "examine_for_parent", lambda: os.kill(os.getpid(), 9))
    assert run("ci", "--range", "HEAD") == CLEAN


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.usefixtures("child")
def test_child_ends_if_the_command_line_is_wrong(run: Run, base: str) -> None:
    assert run("ci", "--no-such-option").code == 2
    assert spawn._live == []
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.usefixtures("child")
def test_index_is_checked_here_if_no_child_starts(
    run: Run, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> NoReturn:
        raise BlockingIOError(errno.EAGAIN, "too many processes")

    monkeypatch.setattr(os, "fork", refuse)
    assert run("ci", "--range", "HEAD") == CLEAN


def examined_index() -> Examined:
    """Return bytecode of every kind, with paths that are not UTF-8."""
    contents = Contents()
    contents.held = {"1" * 40: b"\xa7\r\r\n" + bytes(12)}
    contents.converted = {record(b"b\xff.png"): ("text eol=crlf", b"\xcb\r\r\n")}
    unread = Unread()
    unread.entries, unread.read = 3, 2
    unread.add(LFS_POINTER, "é".encode())
    return Examined([record(b"a\xfe.pyc")], [record(b"c.png")], contents, unread)


def record(path: bytes) -> bytes:
    return b"100644 " + b"1" * 40 + b" 0\t" + path


def test_examined_index_is_the_same_after_json() -> None:
    examined = examined_index()
    decoded = decode_examined(json.loads(json.dumps(encode_examined(examined))))
    for name in ("named", "holders"):
        assert getattr(decoded, name) == getattr(examined, name)
    for part in ("contents", "unread"):
        assert vars(getattr(decoded, part)) == vars(getattr(examined, part))
    assert decoded.paths() == {b"a\xfe.pyc", b"b\xff.png", b"c.png"}


class Child:
    """A child that answers at once."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.is_stopped = False

    def read(self) -> object:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def stop(self) -> None:
        self.is_stopped = True


@pytest.mark.parametrize(
    ("answer", "entries"),
    [(encode_examined(examined_index()), 3), (None, 2), (ChildFailure("ended"), 2)],
    ids=["found", "an error", "ended"],
)
def test_answer_of_a_child_is_used_once(
    answer: object,
    entries: int,
    repo: Repo,
    base: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without an answer the index is examined here, and reported as always."""
    child = Child(answer)
    # A test before this one may have left a child that was stopped.
    monkeypatch.setattr(_index_child, "_started", [child])
    assert examine_in_child().unread.entries == entries
    assert child.is_stopped
    assert examine_in_child().unread.entries == 2


def test_child_answers_nothing_after_an_error(
    repo: Repo, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this process: what a forked one runs, coverage does not see."""
    assert decode_examined(_index_child.examine_for_parent()).unread.entries == 2
    monkeypatch.setattr(scan, "examine_tracked", lambda *_, **__: 1 / 0)
    assert _index_child.examine_for_parent() is None


def test_range_is_needed_where_no_system_is_known(run: Run, base: str) -> None:
    result = run("ci")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: no known CI system: pass the commits to check")
    assert run("ci", "--range", "HEAD") == CLEAN


@pytest.mark.parametrize("word", ["", " ", "..HEAD", "HEAD..", "--all", "no..HEAD", "^HEAD"])
def test_range_that_is_none_is_refused(run: Run, base: str, word: str) -> None:
    result = run("ci", f"--range={word}")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: ")


def test_change_cannot_allow_itself(repo: Repo, run: Run, base: str) -> None:
    repo.add("a.pyc", BYTECODE)
    repo.add("pyproject.toml", ALLOW)
    repo.commit("request")
    assert run("ci", "--range", f"{base}..HEAD").code == 1
    assert run("ci", "--range", f"{base}..HEAD", "--config-from", "HEAD") == CLEAN
    # Without a base the configuration is that of the index.
    assert run("ci", "--range", "HEAD") == CLEAN


def test_probes_are_those_of_the_base(repo: Repo, run: Run) -> None:
    repo.add(".gitignore", "__pycache__/\n")
    repo.add("pyproject.toml", '[tool.pycache-guard]\nprobes = ["legacy"]\n')
    base = repo.commit("base")
    repo.git("rm", "-q", "pyproject.toml")
    repo.commit("request")
    assert run("ci", "--range", f"{base}..HEAD").code == 1
    assert run("ci", "--range", "HEAD") == (0, run("ci", "--range", "HEAD").out, "")


def test_configuration_of_a_revision_that_is_not_there_is_refused(run: Run, base: str) -> None:
    result = run("ci", "--range", "HEAD", "--config-from", "nothing")
    assert (result.code, result.out) == (2, "")
    assert result.err == "error: 'nothing' is not a tree in this repository\n"


def test_failure_of_one_check_does_not_hide_findings_of_another(repo: Repo, run: Run) -> None:
    repo.add("a.pyc", BYTECODE)
    base = repo.commit()
    missing = repo.blob("x")
    repo.git("update-index", "--add", "--cacheinfo", f"100644,{missing},b.txt")
    repo.commit()
    (repo.path / ".git" / "objects" / missing[:2] / missing[2:]).unlink()
    result = run("ci", "--range", f"{base}..HEAD")
    assert result.code == 2
    assert "a.pyc: PYC001 bytecode is tracked\n" in result.out
    assert "not ignored" in result.out or "PYC101" in result.out
    assert result.err.startswith("error: ")
    assert missing in result.err


def test_incomplete_check_is_never_ok(repo: Repo, run: Run, base: str) -> None:
    missing = repo.blob("x")
    repo.git("update-index", "--add", "--cacheinfo", f"100644,{missing},b.txt")
    repo.commit()
    (repo.path / ".git" / "objects" / missing[:2] / missing[2:]).unlink()
    result = run("ci", "--range", "HEAD")
    assert (result.code, result.out) == (2, "")
    report = json.loads(run("ci", "--range", "HEAD", "--format", "json").out)
    assert report["findings"] == []


@pytest.mark.usefixtures("root")
def test_without_a_repository_nothing_passes(run: Run) -> None:
    assert run("ci", "--range", "HEAD").code == 2


def test_bare_repository_is_refused(repo: Repo, run: Run, base: str) -> None:
    repo.git("config", "core.bare", "true")
    result = run("ci", "--range", "HEAD")
    assert (result.code, result.out) == (2, "")


def test_quiet_run_prints_findings_only(repo: Repo, run: Run, base: str) -> None:
    assert run("ci", "--range", "HEAD", "--quiet") == (0, "", "")
    repo.add("a.pyc", BYTECODE)
    repo.commit()
    result = run("ci", "--range", "HEAD~1..HEAD", "--quiet")
    assert result.code == 1
    assert "Found" not in result.out


def test_run_in_a_subdirectory_checks_the_whole(repo: Repo, run: Run, base: str) -> None:
    repo.add("a.pyc", BYTECODE)
    repo.add("pkg/b.py", "")
    repo.commit()
    os.chdir(repo.path / "pkg")
    result = run("ci", "--range", f"{base}..HEAD")
    assert result.code == 1
    assert "a.pyc: PYC001 bytecode is tracked" in result.out


#: The variable of a system, `--format`, and the format of the file and of the log.
FILES = [
    ("GITHUB_ACTIONS", None, "sarif", "github"),
    ("GITHUB_ACTIONS", "json", "json", ""),
    (None, "sarif", "sarif", ""),
    ("GITLAB_CI", None, "gitlab", "text"),
    ("CIRCLECI", None, "junit", "text"),
    (None, None, "text", "text"),
]


def kind_of(text: str) -> str:
    """Return the format of a report with findings."""
    if text.startswith("::error"):
        return "github"
    if text.startswith("<?xml"):
        return "junit"
    if text[0] in "[{":
        value = json.loads(text)
        return "gitlab" if isinstance(value, list) else "json" if "command" in value else "sarif"
    return "text"


@pytest.mark.parametrize(("variable", "asked", "file_format", "log_format"), FILES)
def test_report_in_a_file_leaves_one_in_the_log(
    repo: Repo,
    run: Run,
    base: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str | None,
    asked: str | None,
    file_format: str,
    log_format: str,
) -> None:
    if variable:
        monkeypatch.setenv(variable, "true")
    repo.add("a.pyc", BYTECODE)
    repo.commit()
    file = tmp_path / "report"
    options = ["--format", asked] if asked else []
    result = run("ci", "--range", f"{base}..HEAD", "--output", os.fspath(file), *options)
    assert (result.code, result.err) == (1, "")
    assert kind_of(file.read_text("utf-8")) == file_format
    assert result.out == "" if log_format == "" else kind_of(result.out) == log_format


def test_format_overrides_that_of_the_system(
    run: Run, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    result = run("ci", "--range", "HEAD", "--format", "json")
    assert json.loads(result.out)["system"] == "GitHub Actions"


def test_event_file_is_needed_on_github(
    run: Run, base: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.delenv("GITHUB_EVENT_PATH", raising=False)
    assert run("ci").err == "error: GITHUB_EVENT_PATH is not set; pass --range BASE..HEAD\n"
    monkeypatch.setenv("GITHUB_EVENT_PATH", os.fspath(tmp_path / "no"))
    assert "the event file" in run("ci").err
    # With a range, nothing is read of the event.
    assert run("ci", "--range", "HEAD") == CLEAN


def test_hostile_value_is_no_option_of_git(
    run: Run, base: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_EVENT_NAME", "push")
    monkeypatch.setenv("GITHUB_EVENT_PATH", os.fspath(tmp_path / "event"))
    planted = tmp_path / "planted"
    (tmp_path / "event").write_text(json.dumps({"before": f"--upload-pack=touch {planted}"}))
    result = run("ci")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("error: before is not a commit id: ")
    assert not planted.exists()


@pytest.fixture
def job_summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of the job summary, as GitHub sets it."""
    file = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", os.fspath(file))
    return file


def test_job_summary_is_appended(repo: Repo, run: Run, base: str, job_summary: Path) -> None:
    job_summary.write_text("# before\n")
    assert run("ci", "--range", "HEAD").code == 0
    repo.add("a.pyc", BYTECODE)
    repo.commit()
    assert run("ci", "--range", f"{base}..HEAD").code == 1
    text = job_summary.read_text("utf-8")
    assert text.startswith("# before\n### pycache-guard: no problems found\n")
    assert "### pycache-guard: 2 problems found\n\n| rule | place | problem | to fix |\n" in text
    assert "| <code>a&#46;pyc</code> | bytecode is tracked |" in text


def test_job_summary_is_that_of_github(
    run: Run, base: str, job_summary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert run("ci", "--range", "HEAD").code == 0
    assert not job_summary.exists()


def test_job_summary_that_cannot_be_written_is_an_error(
    run: Run, base: str, job_summary: Path
) -> None:
    job_summary.mkdir()
    result = run("ci", "--range", "HEAD")
    assert result.code == 2
    assert result.err.startswith("error: ")
    if sys.platform != "win32":
        job_summary.rmdir()
        os.mkfifo(job_summary)  # nobody reads it
        assert run("ci", "--range", "HEAD").code == 2


def test_unexpected_error_of_a_check_is_raised(
    run: Run, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ci, "check_index", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run("ci", "--range", "HEAD")
