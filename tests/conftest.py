"""Isolation from the machine, repositories, and ways to run the program."""

from __future__ import annotations

import gc
import importlib
import os
import pkgutil
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, given, settings, strategies

import pycache_guard
from helpers.git_version import HAS_GIT
from helpers.printed_commands import CommandLog
from helpers.repo import Repo, Result
from helpers.report_schema import is_json_report, validate_report
from helpers.runners import ROOT, Checkout
from helpers.windows import install as replace_missing_functions
from pycache_guard import __version__, cli
from pycache_guard.git import spawn
from pycache_guard.interpreters import pool

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    from coverage import Coverage

    from helpers.printed_commands import PrintedCommands

# No test is timed, and none is right by chance only on a machine that has seen it fail before.
settings.register_profile(
    "suite", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("long", settings.get_profile("suite"), max_examples=1000)
settings.load_profile("suite")

replace_missing_functions()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Stop the measurement that pytest-cov starts in a worker and replaces by another one.

    It would go on whenever the other one pauses, for tests during which coverage is not measured.
    """
    coverage = sys.modules.get("coverage")
    if hasattr(session.config, "workerinput") and coverage and coverage.Coverage.current():
        coverage.Coverage.current().stop()


@given(strategies.none())
def create_random_generator(_: None) -> None:
    """Let Hypothesis create its random generator, by a test without content.

    It warns if nothing that the garbage collector sees refers to the generator, and the collector does not see
    what is frozen. Where the variable `CI` is set, the generator is created only in the first test.
    """


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Leave ten thousand tests out of garbage collection: a fourth of the time would go by on them.

    From here on coverage is measured only during tests.
    """
    pause_measurement(session.config)
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        if hasattr(gc, "freeze"):  # PyPy has another collector
            create_random_generator()
            gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of modules that make symbolic links: CI on Windows runs them apart."""
    makes_links: dict[Path, bool] = {}
    for item in items:
        if item.path not in makes_links:
            makes_links[item.path] = b"symlink" in item.path.read_bytes()
        if makes_links[item.path]:
            item.add_marker("symlinks")


#: Measures coverage, if that is wanted.
MEASUREMENT: pytest.StashKey[Coverage] = pytest.StashKey()


def pause_measurement(config: pytest.Config) -> None:
    """Import every module of the package, then stop the measurement that pytest-cov has started.

    `measuring` starts it again for each test: measured as well, what happens between them would take longer.
    """
    controller = getattr(config.pluginmanager.getplugin("_cov"), "cov_controller", None)
    if controller is not None:
        for module in pkgutil.walk_packages(pycache_guard.__path__, "pycache_guard."):
            importlib.import_module(module.name)
        controller.cov.stop()
        config.stash[MEASUREMENT] = controller.cov


@contextmanager
def measuring(item: pytest.Function) -> Iterator[None]:
    """Measure coverage, if that is wanted and `item` is a test in which it is measured."""
    measurement = item.config.stash.get(MEASUREMENT, None)
    if measurement is None or not is_measured(item):
        yield
        return
    measurement.start()
    try:
        yield
    finally:
        measurement.stop()


#: Fixtures with which the program runs in another process, where coverage is not measured.
ELSEWHERE = {"program", "scene", "template", "runner", "reader", "stage"}


def is_measured(item: pytest.Function) -> bool:
    """Return whether coverage is measured during a test: if it runs the program in this process.

    It is not measured during property tests, because what random examples reach differs from run to run,
    and during those with the mark `unmeasured`, because shorter tests reach the same lines.
    """
    fixtures = set(item.fixturenames)
    is_here = "run" in fixtures or not ELSEWHERE & fixtures
    is_property = hasattr(item.obj, "hypothesis")
    return is_here and not is_property and item.get_closest_marker("unmeasured") is None


#: What a person's, a hook's or a runner's environment must not change.
INHERITED = ("GIT_", "PRE_COMMIT", "PYTHON", "XDG_", "LC_", "LANG")
IDENTITY = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A. Author",
    "GIT_AUTHOR_EMAIL": "author@example.com",
    "GIT_AUTHOR_DATE": "2024-02-29T12:00:00Z",
    "GIT_COMMITTER_NAME": "A. Committer",
    "GIT_COMMITTER_EMAIL": "committer@example.com",
    "GIT_COMMITTER_DATE": "2024-02-29T12:00:00Z",
    "GIT_EDITOR": "false",
}


COMMAND_LOG = pytest.StashKey[CommandLog]()
#: The property of a test with the number of printed commands that were run after it.
PRINTED_COMMANDS_RUN = "printed commands run"


class BuildOnce(Protocol):
    """Return the directory `name`, built by the process that asks first; the others wait."""

    def __call__(self, name: str, build: Callable[[Path], object]) -> Path: ...


class Run(Protocol):
    """Run the program with arguments; answer with exit code, stdout, stderr."""

    def __call__(self, *argv: str) -> Result: ...


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty home, for all tests."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def isolated(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """No configuration, identity or setting of the person who runs the tests."""
    for name in [name for name in os.environ if name.startswith(INHERITED)]:
        monkeypatch.delenv(name)
    for name, value in IDENTITY.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", os.fspath(home))
    monkeypatch.setenv("USERPROFILE", os.fspath(home))
    # A repository round the temporary directory is none of ours.
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", os.fspath(home.parent))


@pytest.fixture(autouse=True)
def stop_leftover_processes() -> Iterator[None]:
    """End what a failure left under way, as the program does in its end."""
    yield
    spawn.stop_all()


@pytest.fixture(scope="session")
def inherited() -> dict[str, str]:
    """Return the environment that an installation needs: this person's network, no one's git."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(INHERITED)}
    # Python compiles what is imported; to compile the rest takes longer than to install it.
    return {**kept, **IDENTITY, "PIP_NO_COMPILE": "1"}


@pytest.fixture(scope="session")
def build_once(tmp_path_factory: pytest.TempPathFactory) -> BuildOnce:
    """Return what builds a directory for all processes of pytest-xdist."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def directory(name: str, build: Callable[[Path], object]) -> Path:
        path, done = shared / name, shared / f"{name}.done"
        with FileLock(shared / f"{name}.lock"):
            if not done.exists():
                path.mkdir()
                build(path)
                done.touch()
        return path

    return directory


@pytest.fixture(scope="session")
def checkout(build_once: BuildOnce, inherited: dict[str, str]) -> Checkout:
    """Clone the repository that the tests stand in, with what is not committed yet."""
    if not HAS_GIT:
        pytest.skip("git is not installed here")
    path = build_once("checkout", lambda made: clone_here(made / "clone", inherited)) / "clone"
    head = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=path, env=inherited, text=True)
    return Checkout(path, head.strip())


def clone_here(path: Path, environment: Mapping[str, str]) -> None:
    """Make the clone that the fixture `checkout` is."""

    def git(*args: str, cwd: Path = path) -> str:
        command = ["git", "-c", f"safe.directory={ROOT}", *args]
        return subprocess.check_output(command, cwd=cwd, env=environment, text=True)

    git("clone", "-q", "--no-local", os.fspath(ROOT), os.fspath(path), cwd=ROOT)
    shown = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    there = {name for name in shown.split("\0") if name and (ROOT / name).is_file()}
    for name in there:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, path / name)
    for name in {*git("ls-files", "-z").split("\0")} - there - {""}:
        (path / name).unlink()
    git("add", "-A")
    git("commit", "-q", "--allow-empty", "-m", "as it stands")
    git("tag", "--force", f"v{__version__}")


@pytest.fixture
def make_repo(tmp_path: Path) -> Callable[..., Repo]:
    """Return a maker of repositories: `make_repo("name", "--bare")`."""

    def make(name: str, *options: str) -> Repo:
        return Repo.init(tmp_path / name, *options)

    return make


@pytest.fixture
def repo(make_repo: Callable[..., Repo], monkeypatch: pytest.MonkeyPatch) -> Repo:
    """Make an empty repository, and stand in it."""
    made = make_repo("repo")
    monkeypatch.chdir(made.path)
    return made


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a directory that no repository is round, and stand in it."""
    where = tmp_path / "root"
    where.mkdir()
    monkeypatch.chdir(where)
    return where


@pytest.fixture
def command_log(request: pytest.FixtureRequest, tmp_path: Path) -> CommandLog:
    """Return the log of the commands that the reports of this test print."""
    log: CommandLog = request.node.stash.setdefault(COMMAND_LOG, CommandLog(tmp_path))
    return log


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Run a test, then, if it has passed, the commands of its last report."""
    with measuring(pyfuncitem):
        result = yield
    log = pyfuncitem.stash.get(COMMAND_LOG, None)
    if log is not None:
        number = log.run(report_again)
        pyfuncitem.user_properties.append((PRINTED_COMMANDS_RUN, number))
    return result


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many of the commands that tests printed were run."""
    reports = [report for several in terminalreporter.stats.values() for report in several]
    number = sum(
        value
        for report in reports
        if getattr(report, "when", None) == "call"
        for name, value in report.user_properties
        if name == PRINTED_COMMANDS_RUN
    )
    terminalreporter.write_line(f"printed commands run: {number}")


def decode_output(output: bytes) -> str:
    """Decode the output of a process; Windows ends its lines with CR LF."""
    return os.fsdecode(output).replace(os.linesep, "\n")


def report_again(printed: PrintedCommands) -> Result:
    """Make a report again in another process, where its reader stands."""
    done = subprocess.run(
        [PROGRAM, *printed.argv],
        cwd=printed.cwd,
        env=printed.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    return Result(done.returncode, decode_output(done.stdout), decode_output(done.stderr))


def open_descriptors() -> set[str]:
    """Return the open descriptors of this process; nothing on Windows."""
    # Wine shows those of the system below it.
    is_shown = sys.platform != "win32" and os.path.isdir("/dev/fd")
    return set(os.listdir("/dev/fd")) if is_shown else set()


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], command_log: CommandLog) -> Run:
    """Run the program in this process."""

    def run_here(argv: Sequence[str]) -> Result:
        capfd.readouterr()
        before = open_descriptors()
        try:
            code = cli.main(argv)
        except SystemExit as end:  # argparse, after --help
            code = int(end.code or 0)
        assert open_descriptors() <= before, f"{argv} leaves descriptors open"
        return Result(code, *capfd.readouterr())

    def again(printed: PrintedCommands) -> Result:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(printed.cwd)
            for name in os.environ.keys() - printed.environment.keys():
                patch.delenv(name)
            for name, text in printed.environment.items():
                patch.setenv(name, text)
            return run_here(printed.argv)

    def main(*argv: str) -> Result:
        result = run_here(argv)
        if is_json_report(argv, result.out):
            validate_report(result.out)
        command_log.add(argv, result, script=PROGRAM, report=again)
        return result

    return main


@pytest.fixture
def only_this_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the interpreters of the machine from this process, except for the running one."""
    monkeypatch.setattr(pool, "find_candidates", lambda _: [])


@pytest.fixture
def default_signal_handlers() -> Iterator[None]:
    """Where the tests run in the background SIGINT is ignored, and that would be inherited."""
    if sys.platform == "win32":
        pytest.skip("the signals are POSIX's")
    handlers = {number: signal.signal(number, signal.SIG_DFL) for number in (1, 15)}
    handlers[2] = signal.signal(2, signal.default_int_handler)
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


#: Notes how it is called, and what is asked of it, before it is git.
SHIM = """#!/bin/sh
printf '%s\\n' "$*" >> "{log}"
case " $* " in
*" cat-file "*) tee -a "{asked}" | exec "{git}" "$@" ;;
*) exec "{git}" "$@" ;;
esac
"""


class GitCalls(NamedTuple):
    """What git was started with since."""

    log: Path
    asked: Path

    def reset(self) -> None:
        """Begin anew."""
        self.log.unlink(missing_ok=True)
        self.asked.unlink(missing_ok=True)

    def verbs(self) -> list[str]:
        """Return the subcommand of every git that was started, in order."""
        if not self.log.exists():
            return []
        lines = self.log.read_text("utf-8", "surrogateescape").splitlines()
        options = r"^((--?no-pager|(-[cC]|--git-dir|--work-tree) \S+) )*"
        return [re.sub(options, "", line).split(" ")[0] for line in lines]

    def blobs(self) -> list[str]:
        """Return the blobs that were asked for, in order."""
        return self.asked.read_text().splitlines() if self.asked.exists() else []


@pytest.fixture
def git_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitCalls:
    """Put a git on PATH that keeps a record; use it when the repository is made."""
    git = shutil.which("git")
    if sys.platform == "win32" or git is None:
        pytest.skip("the record is kept by a shell script")
    directory = tmp_path / "shim"
    directory.mkdir()
    noted = GitCalls(directory / "log", directory / "asked")
    shim = directory / "git"
    shim.write_text(SHIM.format(git=git, log=noted.log, asked=noted.asked))
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}{os.pathsep}{os.environ['PATH']}")
    return noted


@pytest.fixture
def fake_git_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return what puts a shell script in git's place."""
    if sys.platform == "win32":
        pytest.skip("a shell script stands for git")

    def put(script: str) -> None:
        git = tmp_path / "pretended" / "git"
        git.parent.mkdir()
        git.write_text(f"#!/bin/sh\n{script}\n")
        git.chmod(0o755)
        monkeypatch.setenv("PATH", f"{git.parent}{os.pathsep}{os.environ['PATH']}")

    return put


#: The console script, as it is installed.
PROGRAM = (
    Path(sysconfig.get_path("scripts")) / f"pycache-guard{sysconfig.get_config_var('EXE') or ''}"
)


#: Seconds after which a program counts as hanging.
PATIENCE = 120


class Program(Protocol):
    """Run the installed program in a process of its own."""

    def __call__(
        self, *argv: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> Result: ...


@pytest.fixture
def program(command_log: CommandLog) -> Program:
    """Run the installed program in a process of its own; `env` is added to the environment."""

    def main(*argv: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> Result:
        done = subprocess.run(
            [PROGRAM, *argv],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=PATIENCE,
        )
        result = Result(done.returncode, decode_output(done.stdout), decode_output(done.stderr))
        if is_json_report(argv, result.out):
            validate_report(result.out)
        if not env:
            command_log.add(argv, result, cwd=cwd)
        return result

    return main
