"""Much of everything: depth, length, number, size."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from faults.fault_env import (
    INVOCATIONS,
    LINTED,
    Call,
    Sandbox,
    assert_clean_exit,
    every_call,
    every_command,
    posix,
    slow,
)
from helpers.repo import BYTECODE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from helpers.repo import Result

pytestmark = posix

#: So many directories, one in the other.
DEPTH = 1000
#: Longer than any file system's path: 4 096 bytes with the NUL on Linux.
LONG = "/".join(["d" * 200] * 20)
CACHE = "__pycache__/m.cpython-311.pyc"


def plunge(top: Path, depth: int, name: str = "d") -> None:
    """Make nested directories, with a module and a cache in the lowest: no path names them."""
    here = os.open(top, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    for path in ("m.py", "gone.pyc"):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, dir_fd=here))
    os.mkdir("__pycache__", dir_fd=here)
    below = os.open("__pycache__", os.O_RDONLY, dir_fd=here)
    for path in ("m.cpython-311.pyc", "gone.cpython-311.pyc"):
        file = os.open(path, os.O_WRONLY | os.O_CREAT, dir_fd=below)
        os.write(file, BYTECODE)
        os.close(file)
    os.close(below)
    os.close(here)


def ends(call: Call, scene: Sandbox) -> Result:
    """Run a call, and check that it comes to an end that it knows, and leaves nothing behind."""
    before = scene.unexpected_files()
    result = scene.run(call)
    assert result.code or call.command == "clean", call
    assert_clean_exit(result)
    assert set(scene.unexpected_files()) <= set(before), call
    return result


@pytest.fixture
def deep_scene(scene: Sandbox) -> Iterator[Sandbox]:
    """Remove what is deeper than `shutil.rmtree`, by which pytest cleans up, may call itself."""
    yield scene
    subprocess.run(["rm", "-r", "-f", "--", scene.path / "pkg"], check=True)


@every_call(18)
def test_a_thousand_nested_directories(deep_scene: Sandbox, call: Call) -> None:
    """On disk, in the index, in history."""
    scene = deep_scene
    deep = "/".join("d" * DEPTH)
    plunge(scene.path / "pkg", DEPTH)
    scene.repo.stage(f"{deep}/m.py")
    scene.repo.stage(f"{deep}/{CACHE}", BYTECODE)
    scene.repo.stage(f"{deep}/.gitignore", "!*.pyc\n")
    scene.repo.commit()
    scene.head = scene.repo.git("rev-parse", "HEAD")
    scene.incoming = scene.repo.git(
        "commit-tree", "-m", "i", "-p", "HEAD~1", scene.repo.git("write-tree")
    )
    scene.repo.stage(f"{deep}/new.pyc", BYTECODE)
    ends(call, scene)
    if call.command == "clean" and "--dry-run" not in call.options:
        left = scene.run(Call("clean", ("--dry-run", "--orphans")))
        assert "gone.cpython-311.pyc" not in left.out


@every_call(19)
def test_paths_of_4000_bytes_in_the_index(scene: Sandbox, call: Call) -> None:
    """And in history; no disk can hold them, nor can git there."""
    scene.repo.stage(f"{LONG}/m.py")
    scene.repo.stage(f"{LONG}/{CACHE}", BYTECODE)
    scene.repo.stage(f"{LONG}/data.bin", BYTECODE)
    scene.repo.commit()
    scene.head = scene.repo.git("rev-parse", "HEAD")
    scene.incoming = scene.repo.git(
        "commit-tree", "-m", "i", "-p", "HEAD~1", scene.repo.git("write-tree")
    )
    for name in (CACHE, "data.bin"):
        scene.repo.stage(f"{LONG}/{name}", BYTECODE + b"new")
    result = ends(call, scene)
    if call.command in ("forbid-bytecode", "check-history"):
        assert f"{LONG}/{CACHE}: PYC001 " in result.out
        assert f"{LONG}/data.bin: PYC002 " in result.out or "--tree" in call.options


@every_command(29)
def test_an_ignore_file_at_4000_bytes(scene: Sandbox, call: Call) -> None:
    scene.repo.stage(f"{LONG}/.gitignore", "!*.pyc\n")
    scene.repo.stage(f"{LONG}/Dockerfile", "FROM x\nCOPY . .\n")
    scene.repo.stage(f"{LONG}/m.py")
    ends(call, scene)


@every_command(30)
def test_paths_of_4000_bytes_on_disk(scene: Sandbox, call: Call) -> None:
    """Longer than the system takes in one piece; `clean` goes down step by step."""
    plunge(scene.path / "pkg", 20, "d" * 200)
    ends(call, scene)


def test_clean_reaches_4000_bytes(scene: Sandbox) -> None:
    plunge(scene.path / "pkg", 20, "d" * 200)
    result = scene.run(Call("clean", ("--include-tracked",)))
    assert (result.code, result.err) == (0, "")
    left = subprocess.run(
        ["find", "pkg", "-name", "*.cpython-311.pyc"],
        cwd=scene.path,
        capture_output=True,
        check=True,
    )
    assert (left.stdout, left.returncode) == (b"", 0)


@pytest.mark.parametrize("form", ["zip", "tar"])
def test_paths_of_4000_bytes_in_archives(scene: Sandbox, form: str) -> None:
    data = io.BytesIO()
    if form == "zip":
        with zipfile.ZipFile(data, "w") as archive:
            archive.writestr(f"{LONG}/{CACHE}", BYTECODE)
            archive.writestr("/".join("d" * DEPTH) + "/x.pyc", BYTECODE)
    else:
        with tarfile.open(fileobj=data, mode="w:gz") as tar:
            for name in (f"{LONG}/{CACHE}", "/".join("d" * DEPTH) + "/x.pyc"):
                info = tarfile.TarInfo(name)
                info.size = len(BYTECODE)
                tar.addfile(info, io.BytesIO(BYTECODE))
    name = {"zip": "dist/long.whl", "tar": "dist/long.tar.gz"}[form]
    scene.repo.write(name, data.getvalue())
    result = scene.run(Call("check-dist", (name,)))
    assert_clean_exit(result)
    assert result.code == 1
    assert result.out.count("PYC311") >= 2
    assert f"{LONG}/{CACHE}" in result.out


HUGE = {
    "pyproject.toml": b"[tool.pycache-guard]\n" + b"# a comment\n" * 500_000,
    ".gitignore": b"*.log\n" * 300_000,
    ".dockerignore": b"*.log\n" * 3_000,
    "Dockerfile": b"FROM x\n" + b"RUN true\n" * 100_000 + b"COPY . .\n",
    "compose.yaml": b"services:\n" + b"".join(b"  s%d:\n    build: .\n" % n for n in range(500)),
    "lint.py": b"import sys\nsys.dont_write_bytecode = True\n" + b"x = 1\n" * 20_000,
}


@every_command(31)
def test_huge_files(scene: Sandbox, call: Call) -> None:
    for path, data in HUGE.items():
        scene.repo.add(path, data)
    ends(call, scene)


#: Nested so deeply that a reader which calls itself would fall over.
DEEP = {
    "arrays": ("pyproject.toml", b"[tool.pycache-guard]\nallow = " + b"[" * 5000 + b"]" * 5000),
    "tables": ("pyproject.toml", b"[tool.pycache-guard." + b".".join([b"a"] * 5000) + b"]\n"),
    "inline tables": (
        "pyproject.toml",
        b"[tool.pycache-guard]\nx = " + b"{a=" * 3000 + b"1" + b"}" * 3000,
    ),
    "yaml": ("compose.yaml", b"services: " + b"{a: " * 5000 + b"}" * 5000),
    "yaml blocks": ("compose.yaml", b"".join(b" " * n + b"a:\n" for n in range(2000))),
    "parentheses": ("lint.py", b"x = " + b"(" * 5000 + b")" * 5000),
    "signs": ("lint.py", b"x = " + b"-" * 20_000 + b"1\n"),
    "sums": ("lint.py", b"x = " + b"1+" * 20_000 + b"1\n"),
    "attributes": ("lint.py", b"x" + b".a" * 20_000 + b"\n"),
    "blocks": ("lint.py", b"".join(b" " * n + b"if x:\n" for n in range(99)) + b" " * 99 + b"x\n"),
    "json": ("Dockerfile", b'FROM x\nCOPY . .\nCOPY ["' + b"[" * 20_000 + b"]\n"),
    "globs": (".dockerignore", b"**/" * 300 + b"x\n"),
    "stars": (".dockerignore", b"*" * 500 + b"x\n"),
    "ignored stars": (".gitignore", b"*a" * 200 + b"\n"),
    "brackets": (".dockerignore", b"[a" * 500 + b"\n"),
}
READS = {
    "pyproject.toml": ("forbid-bytecode", "fix"),
    "compose.yaml": ("check-dockerignore", "doctor"),
    "Dockerfile": ("check-dockerignore",),
    ".dockerignore": ("check-dockerignore",),
    ".gitignore": ("check-gitignore",),
    "lint.py": ("lint",),
}


@pytest.mark.parametrize("name", DEEP)
def test_deep_files(scene: Sandbox, name: str) -> None:
    path, data = DEEP[name]
    scene.repo.add(path, LINTED.encode() + data if path == "lint.py" else data)
    for command in READS[path]:
        result = scene.run(Call(command))
        assert_clean_exit(result)
        # `lint` warns of a file that it cannot parse, and checks the others.
        assert result.code or result.err.startswith(f"warning: {path}:")


def listing(count: int) -> bytes:
    """Return what `update-index --index-info` makes so many entries of; in order, it is quick."""
    empty = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    names = sorted(f"src/d{n % 500:03}/e{n % 37:02}/file_{n:07}.txt" for n in range(count))
    return "".join(f"100644 {empty}\t{name}\0" for name in names).encode()


#: What is not meant for millions is not asked: `doctor` is all the others together.
MILLIONS = [call for call in INVOCATIONS if "lint.py" not in call.options]


@slow
def test_two_million_entries(template: Path, scene: Sandbox) -> None:
    """Every call, one after the other, on one repository; the memory of each is looked at too."""
    repo = scene.repo
    repo.blob(b"")
    repo.git("update-index", "--add", "-z", "--index-info", input=listing(2_000_000))
    repo.commit("two million")
    scene.head = repo.git("rev-parse", "HEAD")
    repo.add("one/more.pyc", BYTECODE)
    scene.incoming = repo.git("commit-tree", "-m", "i", "-p", "HEAD", repo.git("write-tree"))
    for call in MILLIONS:
        program = (sys.executable, "-c", MEASURED)
        result = scene.run(call, program=program, patience=600)
        *said, memory = result.err.splitlines()
        assert_clean_exit(result._replace(err="".join(f"{line}\n" for line in said)))
        assert result.code or call.command == "clean", call
        # The index alone is 200 MB; it is held in memory a few times at most.
        assert int(memory) < 3 << 20, (call, memory)


#: Runs the program, and prints its peak memory in KiB to stderr.
MEASURED = """
import os, resource, sys
end = os._exit
def exit_late(code):
    sys.stderr.write(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}\\n")
    sys.stderr.flush()
    end(code)
os._exit = exit_late
from pycache_guard.cli import run
sys.argv[0] = "pycache-guard"
run()
"""
