from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

from conftest import PROGRAM
from helpers.posix_names import decode_posix_name
from pycache_guard.findings import Rule
from pycache_guard.remedies import NO_COMMAND
from pycache_guard.report import FORMATS

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Program, Run
    from helpers.repo import Repo

COMMAND = "forbid-bytecode"
posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX devices, pipes and limits")

ODD = "a\\xff\\x0a\\xc2\\xa0ü.pyc: PYC001 bytecode is tracked\n"


@pytest.fixture
def odd(repo: Repo) -> Repo:
    """One finding, of a path that no terminal and no encoding can show as it is."""
    repo.stage(decode_posix_name(b"a\xff\n\xc2\xa0\xc3\xbc.pyc"))
    return repo


@posix
@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize(
    ("encoding", "shows"),
    [
        ("utf-8", "ü"),
        ("utf-8:strict", "ü"),
        ("ascii:strict", "\\xfc"),
        ("latin-1:strict", "ü"),
        ("cp1251:strict", "\\xfc"),
        ("utf-16:strict", "ü"),
    ],
)
def test_report_is_printed_in_any_encoding(
    odd: Repo, encoding: str, shows: str, format_name: str
) -> None:
    done = subprocess.run(
        [PROGRAM, COMMAND, "--format", format_name],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"")
    text = done.stdout.decode(encoding.partition(":")[0])
    if format_name == "text":
        assert text.startswith(ODD.replace("ü", shows))
    elif format_name == "junit":
        assert "ü" in ET.fromstring(text)[0][0].attrib["file"]
    elif format_name not in ("github", "sarif"):
        assert "ü" in str(json.loads(text))


def test_help_is_printed_in_any_encoding(program: Program) -> None:
    for argv in (["--help"], [COMMAND, "--help"]):
        done = program(*argv, env={"PYTHONIOENCODING": "ascii:strict"})
        assert (done.code, done.err) == (0, "")


class TestOutput:
    @pytest.mark.parametrize("format_name", FORMATS)
    def test_output_file_has_the_report_of_stdout(
        self, odd: Repo, run: Run, tmp_path: Path, format_name: str
    ) -> None:
        expected = run(COMMAND, "--format", format_name)
        file = tmp_path / "report"
        file.write_text("old")
        result = run(COMMAND, "--format", format_name, "--output", os.fspath(file))
        assert result == (1, "", "")
        assert file.read_bytes() == expected.out.encode("utf-8")
        assert sorted(os.listdir(tmp_path)) == ["repo", "report"]

    @pytest.mark.parametrize("format_name", FORMATS)
    def test_output_file_without_findings_has_a_report(
        self, repo: Repo, run: Run, tmp_path: Path, format_name: str
    ) -> None:
        file = tmp_path / "report"
        assert run(COMMAND, "--format", format_name, "--output", os.fspath(file)) == (0, "", "")
        text = file.read_text()
        assert (text == "") is (format_name == "github")
        if format_name == "text":
            assert text == "OK: 0 tracked files checked, 0 new ones read.\n"
        assert (
            run(COMMAND, "--quiet", "--format", format_name, "--output", os.fspath(file)).code == 0
        )
        assert (file.read_text() == "") is (format_name in ("text", "github"))

    @posix
    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("link", "{}: is a symbolic link; nothing was written"),
            ("read-only", "{}: is read-only; nothing was written"),
            ("directory", "{}: is a directory; nothing was written"),
            ("file/below", "{}: Not a directory"),
        ],
    )
    def test_output_to_a_link_or_directory_is_an_error(
        self, odd: Repo, run: Run, tmp_path: Path, name: str, message: str
    ) -> None:
        (tmp_path / "file").write_text("old")
        (tmp_path / "link").symlink_to("file")
        (tmp_path / "directory").mkdir()
        (tmp_path / "read-only").write_text("old")
        (tmp_path / "read-only").chmod(0o444)
        path = tmp_path / name
        result = run(COMMAND, "--output", os.fspath(path))
        assert result == (2, "", f"error: {message.format(path)}\n")
        assert (tmp_path / "file").read_text() == (tmp_path / "read-only").read_text() == "old"

    def test_output_to_a_missing_directory_is_an_error(
        self, odd: Repo, run: Run, tmp_path: Path
    ) -> None:
        path = os.fspath(tmp_path / "no" / "report")
        error = f"error: {path}: No such file or directory; nothing was written\n"
        assert run(COMMAND, "--output", path) == (2, "", error)

    @posix
    @pytest.mark.parametrize("through", ["", "link"])
    def test_output_to_a_pipe_is_written(
        self, odd: Repo, run: Run, tmp_path: Path, through: str
    ) -> None:
        os.mkfifo(tmp_path / "fifo")
        (tmp_path / "link").symlink_to("fifo")
        reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
        path = tmp_path / (through or "fifo")
        assert run(COMMAND, "--output", os.fspath(path)) == (1, "", "")
        with open(reader, "rb") as pipe:  # it holds the whole report
            assert pipe.read().startswith(ODD.encode())
        assert (tmp_path / "fifo").is_fifo()

    @posix
    def test_output_to_a_device_is_written(self, odd: Repo, run: Run) -> None:
        assert run(COMMAND, "--output", os.devnull) == (1, "", "")

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
    def test_output_to_a_full_device_is_an_error(self, odd: Repo, run: Run) -> None:
        result = run(COMMAND, "--output", "/dev/full")
        assert result == (2, "", "error: No space left on device\n")

    @posix
    def test_output_to_a_full_disk_keeps_the_old_report(
        self, odd: Repo, program: Program, tmp_path: Path
    ) -> None:
        """A limit of the size of files stands for it; the old report stays whole.

        `-B`, or Python writes caches that are cut short, and trips over them ever after.
        """
        file = tmp_path / "report"
        file.write_text("old")
        odd.stage_all(f"{n:05}/a.pyc" for n in range(200))
        code = (
            "import resource\n"
            "from pycache_guard.cli import main\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
            f"raise SystemExit(main({[COMMAND, '--output', os.fspath(file)]!r}))\n"
        )
        done = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, check=False)
        error = f"error: {file}: File too large; nothing was written\n"
        assert (done.returncode, done.stdout, done.stderr) == (2, b"", error.encode())
        assert file.read_text() == "old"
        assert sorted(os.listdir(tmp_path)) == ["repo", "report"]


def test_missing_stdout_keeps_the_exit_code(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.stage("a.pyc")
    monkeypatch.setattr(sys, "stdout", None)
    assert run(COMMAND) == (1, "", "")


@posix
def test_closed_pipe_keeps_the_exit_code(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.stage("a.pyc")
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert run(COMMAND) == (1, "", "")


@posix
class TestStandardStreams:
    """Through a shell, on the installed program: no traceback, and the code that is meant."""

    def shell(self, command: str) -> tuple[int, str]:
        done = subprocess.run(
            ["bash", "-c", command.replace("PROGRAM", f"'{PROGRAM}'")],
            capture_output=True,
            check=False,
        )
        return done.returncode, os.fsdecode(done.stdout + done.stderr)

    @pytest.mark.parametrize("count", [1, 5000])
    def test_reader_that_ends_early_keeps_the_exit_code(self, repo: Repo, count: int) -> None:
        repo.stage_all(f"{n}.pyc" for n in range(count))
        command = f"set -o pipefail; PROGRAM {COMMAND} | true"
        assert self.shell(command) == (1, "")

    def test_help_with_a_closed_reader_succeeds(self) -> None:
        assert self.shell("set -o pipefail; (sleep 0.1; PROGRAM --help) | true") == (0, "")

    @pytest.mark.parametrize(
        "closed", ["<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"]
    )
    def test_closed_standard_streams_keep_the_exit_code(self, repo: Repo, closed: str) -> None:
        """A closed descriptor becomes none of git's."""
        repo.stage("x", b"\0" * 10)
        has_stdout = ">&-" not in closed.replace("2>&-", "")
        code, out = self.shell(f"PROGRAM {COMMAND} {closed}")
        assert (code, out.startswith("OK: 1 tracked file checked")) == (0, has_stdout)
        assert self.shell(f"PROGRAM {COMMAND} --quiet {closed}") == (0, "")
        assert self.shell(f"PROGRAM {COMMAND} --no-such {closed}")[0] == 2
        code, said = self.shell(f"cd ..; PROGRAM {COMMAND} {closed}")
        assert code == 2
        assert ("not a git repository" in said) is ("2>&-" not in closed)
        repo.stage("a.pyc")
        code, said = self.shell(f"PROGRAM {COMMAND} {closed}")
        assert code == 1
        assert said.startswith("" if ">&-" in closed.replace("2>&-", "") else "a.pyc: PYC001")

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
    def test_full_stdout_is_an_error(self, repo: Repo) -> None:
        error = "error: No space left on device\n"
        repo.stage("a.pyc")
        assert self.shell(f"PROGRAM {COMMAND} > /dev/full") == (2, error)
        assert self.shell(f"PROGRAM {COMMAND} --help > /dev/full") == (2, error)
        assert self.shell("PROGRAM --help > /dev/full") == (2, error)
        assert self.shell("PROGRAM --version > /dev/full") == (2, error)
        assert self.shell(f"PROGRAM {COMMAND} --no-such 2> /dev/full") == (2, "")
        assert self.shell(f"PROGRAM {COMMAND} > /dev/full 2>&1") == (2, "")


def at_a_terminal(*argv: str) -> str:
    """Return what the program writes to a terminal."""
    reader, terminal = os.openpty()
    done = subprocess.Popen([PROGRAM, *argv], stdout=terminal)
    os.close(terminal)
    text = b""
    with contextlib.suppress(OSError):  # Linux has no end of file for a terminal
        while data := os.read(reader, 4096):
            text += data
    os.close(reader)
    done.wait()
    return text.decode().replace("\r\n", "\n")


@posix
@pytest.mark.parametrize("argv", [(COMMAND,), ("doctor",), ("lint",)])
def test_terminal_gets_the_address_of_the_rule_page(repo: Repo, argv: tuple[str, ...]) -> None:
    """At a terminal alone: what programs and logs get is the report."""
    repo.add("a.pyc", "x")
    repo.add("b.py", "import marshal\nexec(marshal.loads(data))\n")
    shown = re.sub(r"\x1b\[[0-9;]*m", "", at_a_terminal(*argv))
    silent = subprocess.run([PROGRAM, *argv], capture_output=True, check=False).stdout.decode()
    assert silent
    assert shown.startswith(silent)
    links = shown.removeprefix(silent).splitlines()
    codes = sorted(set(re.findall(r"(?m)(?:^|: )(PYC\d{3}) ", silent)))
    assert links == ["", *(f"About {code}: {Rule[code].docs_url}" for code in codes)]


@posix
@pytest.mark.parametrize("argv", [("--format", "json"), ("--output", "report")])
def test_other_outputs_have_no_address_of_the_rule_page(repo: Repo, argv: tuple[str, ...]) -> None:
    repo.add("a.pyc", "x")
    assert "About" not in at_a_terminal(COMMAND, *argv)


@posix
def test_terminal_without_findings_gets_no_address(repo: Repo) -> None:
    repo.add("a.py", "x")
    assert at_a_terminal("lint") == "OK: 1 Python file checked.\n"


COLORS = [
    ([], {}, True),
    (["--color", "never"], {}, False),
    ([], {"NO_COLOR": "1"}, False),
    ([], {"NO_COLOR": ""}, True),
    ([], {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
    (["--color", "always"], {"NO_COLOR": "1"}, True),
    ([], {"TERM": "dumb"}, False),
    ([], {"TERM": "dumb", "FORCE_COLOR": "1"}, True),
]


@posix
@pytest.mark.parametrize(("options", "variables", "has_color"), COLORS)
def test_terminal_gets_colors_unless_they_are_declined(
    repo: Repo,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    variables: dict[str, str],
    has_color: bool,
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm", **variables}.items():
        monkeypatch.setenv(name, value)
    repo.add("a.pyc", "x")
    assert ("\x1b[" in at_a_terminal(COMMAND, *options)) is has_color


@pytest.mark.parametrize(
    ("options", "variables", "has_color"),
    [
        ([], {}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": ""}, False),
        (["--color", "always"], {}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
    ],
)
def test_pipe_gets_colors_only_on_request(
    repo: Repo,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    variables: dict[str, str],
    has_color: bool,
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    repo.add("a.pyc", "x")
    assert ("\x1b[" in run(COMMAND, *options).out) is has_color


def test_file_never_gets_colors_by_itself(
    repo: Repo, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    repo.add("a.pyc", "x")
    report = tmp_path / "report"
    run(COMMAND, "--output", os.fspath(report))
    assert "\x1b[" not in report.read_text()


@pytest.mark.parametrize("argv", [(COMMAND,), ("doctor",)])
def test_address_depends_on_isatty(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...]
) -> None:
    repo.add("a.pyc", "x")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert f"About PYC001: {Rule.PYC001.docs_url}\n" in run(*argv).out
    assert "About" not in run(*argv, "--format", "github").out.replace("%0AAbout", "")


def test_report_on_windows_has_a_sentence_where_no_command_does(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("plain.pyc", "a b.pyc", "x\u2019;calc;\u2019.pyc"):
        repo.add(name, "1")
    monkeypatch.setattr("pycache_guard.compat.WINDOWS", True)
    result = run("forbid-bytecode")
    lines = result.out.splitlines()
    assert sum(NO_COMMAND in line for line in lines) == 1
    assert NO_COMMAND in next(line for line in lines if "calc" in line)
    assert "'" not in result.out.partition("To fix:")[2]


def test_report_on_windows_leaves_a_finding_without_command_as_it_is(
    repo: Repo, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hint about commands would mislead where no system has one."""
    repo.add("a.py", "import sys\nsys.dont_write_bytecode = True\n")
    expected = run("lint", "a.py")
    assert expected.code == 1
    assert "To fix:" not in expected.out
    monkeypatch.setattr("pycache_guard.compat.WINDOWS", True)
    assert run("lint", "a.py") == expected
