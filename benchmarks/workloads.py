"""Workloads of any size, to measure how each command scales."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.bundle import make_packages
from benchmarks.ci import checked_out
from benchmarks.repositories import git, history, modules, repository
from pycache_guard.cli import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RULES = {".gitignore": "__pycache__/\n*.py[cod]\n*.pyc.*\n"}
CONTEXT = {"Dockerfile": "FROM scratch\n", ".dockerignore": "**/__pycache__\n**/*.py[co]\n"}
#: Timed runs of each task; one more run measures our own memory.
ROUNDS = 3
RUNS = ROUNDS + 1

#: A module of 200 lines.
SOURCE = "import os\n\n\n" + "".join(
    f"def function_{n}(value: int) -> str:\n"
    f'    """Return something."""\n'
    f"    names = [name.lower() for name in os.listdir(str(value)) if name != 'x{n}']\n"
    f"    return '{n}'.join(sorted(names))\n\n\n"
    for n in range(33)
)


def nothing() -> None:
    """Prepare nothing."""


class Task(NamedTuple):
    """A run of the program."""

    cwd: Path
    arguments: list[str]
    stdin: Path | None = None
    #: Called before each run, and not timed.
    prepare: Callable[[], None] = nothing


class Workload(NamedTuple):
    """A command, and a maker of its input."""

    command: str
    base: int
    of: str
    make: Callable[[Path, int], Task]
    #: The size in the suite, which compares it with ten times as much.
    tested: int


def index(*arguments: str, damage: int = 0) -> Callable[[Path, int], Task]:
    """Return a maker of repositories of `size` modules; with `damage` n, one in n is bytecode."""

    def make(work: Path, size: int) -> Task:
        place = work / f"{arguments[0]}-{size}"
        bad = size // 100 // damage if damage else 0
        listing = modules(size // 100 - bad, 100)
        listing += modules(bad, 100, ".pyc").replace(b"component", b"damaged")
        files = {**RULES, **CONTEXT} if arguments[0] == "check-dockerignore" else RULES
        return Task(repository(place, listing, files), [*arguments])

    return make


def check_history_workload(work: Path, size: int) -> Task:
    """Check every commit."""
    return Task(history(work / f"history-{size}", size), ["check-history", "--all"])


def pre_push_workload(work: Path, size: int) -> Task:
    """Push all commits of a history."""
    place = history(work / f"pushed-{size}", size)
    line = work / f"{place.name}-line"
    line.write_text(f"HEAD {git(place, 'rev-parse', 'main')} refs/heads/main {'0' * 40}\n")
    return Task(place, ["pre-push", "origin", "url"], line)


def pre_receive_workload(work: Path, size: int) -> Task:
    """Receive as many commits; the objects exist, but no ref names them."""
    place = history(work / f"received-{size}", size)
    line = work / f"{place.name}-line"
    line.write_text(f"{'0' * 40} {git(place, 'rev-parse', 'main')} refs/heads/main\n")
    for ref in git(place, "for-each-ref", "--format=%(refname)").split():
        git(place, "update-ref", "-d", ref)
    return Task(place, ["pre-receive"], line)


def ci_workload(work: Path, size: int) -> Task:
    """Check everything of a clone, all of its commits included."""
    return Task(checked_out(work / f"ci-{size}", size), ["ci", "--range", "HEAD"])


def sources(place: Path, size: int) -> None:
    """Write modules, 50 to a directory."""
    for n in range(size):
        if n % 50 == 0:
            (place / f"component_{n // 50:04}").mkdir(parents=True)
        path = place / f"component_{n // 50:04}" / f"module_{n:06}.py"
        path.write_text(f"{SOURCE}number = {n}\n", encoding="ascii")


def verify_workload(work: Path, size: int) -> Task:
    """Verify modules that this Python has compiled."""
    place = work / f"compiled-{size}"
    sources(place, size)
    subprocess.run([sys.executable, "-m", "compileall", "-q", "."], cwd=place, check=True)
    return Task(place, ["verify-bytecode"])


def inspect_workload(work: Path, size: int) -> Task:
    """Inspect the bytecode of one module, copied under many names."""
    place = work / f"inspected-{size}"
    place.mkdir()
    (place / "m.py").write_text("x = 1\n", encoding="ascii")
    subprocess.run([sys.executable, "-m", "compileall", "-q", "."], cwd=place, check=True)
    (made,) = place.glob("__pycache__/*.pyc")
    names = [f"{n}.pyc" for n in range(size)]
    for name in names:
        (place / name).write_bytes(made.read_bytes())
    return Task(place, ["inspect", *names])


def lint_workload(work: Path, size: int) -> Task:
    """Lint a directory."""
    place = work / f"linted-{size}"
    sources(place, size)
    return Task(place, ["lint", "."])


def doctor_workload(work: Path, size: int) -> Task:
    """Diagnose a repository with fresh caches."""
    place = repository(work / f"diagnosed-{size}", b"", RULES)
    sources(place, size)
    git(place, "add", ".")
    subprocess.run([sys.executable, "-m", "compileall", "-q", "."], cwd=place, check=True)
    return Task(place, ["doctor"])


def clean_workload(work: Path, size: int) -> Task:
    """Remove caches, ten per directory; they are restored before each run."""
    place = repository(work / f"cleaned-{size}", b"", RULES)
    names = [f"component_{n:05}" for n in range(size // 10)]
    for name in names:
        (place / name).mkdir()
        for n in range(10):
            (place / name / f"module_{n}.py").touch()
    # All are made before the first is removed, because ext4 is slow to create files near removed ones.
    stashes = [work / f"stash-{size}-{n}" for n in range(RUNS)]
    for stash in stashes:
        fill(stash, names)

    def prepare() -> None:
        stash = stashes.pop()
        for name in names:
            (stash / name).rename(place / name / "__pycache__")

    return Task(place, ["clean"], None, prepare)


def fill(stash: Path, names: list[str]) -> None:
    """Make directories of ten caches, each as large as a module of 200 lines."""
    bytecode = b"\xa7\r\r\n" + bytes(12) + b"\xe3" + bytes(6000)
    for name in names:
        (stash / name).mkdir(parents=True)
        for n in range(10):
            (stash / name / f"module_{n}.cpython-311.pyc").write_bytes(bytecode)


def bundle_workload(work: Path, size: int) -> Task:
    """Return a directory of modules with bytecode."""
    top = make_packages(work / f"bundle_{size}", size)
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(top)], check=True)
    return Task(work, ["check-bundle", str(top)])


def dist_workload(work: Path, size: int) -> Task:
    """Check a wheel."""
    wheel = work / f"large-{size}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as file:
        for n in range(size):
            file.writestr(f"package/part_{n % 100:03}/module_{n:06}.py", f"{SOURCE}number = {n}\n")
    return Task(work, ["check-dist", str(wheel)])


#: The commands that need an input of their own.
SPECIAL = (
    Workload("forbid-bytecode", 10_000, "entries", index("forbid-bytecode"), 2000),
    Workload("check-gitignore", 2_000, "modules", index("check-gitignore"), 300),
    Workload(
        "fix --dry-run", 2_000, "entries, half bytecode", index("fix", "--dry-run", damage=2), 1000
    ),
    Workload("check-dockerignore", 1_000, "modules", index("check-dockerignore"), 200),
    Workload("check-history --all", 400, "commits", check_history_workload, 100),
    Workload("pre-push", 400, "commits", pre_push_workload, 100),
    Workload("pre-receive", 400, "commits", pre_receive_workload, 100),
    Workload("ci", 400, "commits", ci_workload, 50),
    Workload("verify-bytecode", 30, "modules", verify_workload, 10),
    Workload("inspect", 100, "small files", inspect_workload, 100),
    Workload("lint", 30, "modules", lint_workload, 10),
    Workload("clean", 50, "caches", clean_workload, 100),
    Workload("doctor", 30, "modules with caches", doctor_workload, 30),
    Workload("check-dist", 100, "members", dist_workload, 100),
    Workload("check-bundle", 50, "modules", bundle_workload, 20),
)
#: Every other command runs in a repository; `explain` prints one page of a fixed size.
WORKLOADS = (
    *SPECIAL,
    *(
        Workload(name, 1_000, "modules", index(name), 200)
        for name in COMMANDS
        if name not in {"explain", *(each.command.split(" ")[0] for each in SPECIAL)}
    ),
)
