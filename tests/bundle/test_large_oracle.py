"""The standard library and the installed distributions, as bundles, for each interpreter: minutes long.

`python -m pytest --no-cov -m slow -n 0 -s tests/bundle` prints how many verdicts were compared.
"""

from __future__ import annotations

import io
import os
import random
import shutil
import struct
import subprocess
import sysconfig
import tarfile
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bundle.pythons import MODES, Python, pythons
from pycache_guard.archives.member import Growth
from pycache_guard.archives.tars import Tar
from pycache_guard.archives.zips import Zip
from pycache_guard.bundle.judge import State, judge
from pycache_guard.bundle.members import ArchiveTree, time_in_tar, time_in_zip
from pycache_guard.bundle.target import target_of_version
from pycache_guard.bundle.tree import DiskTree
from pycache_guard.bundle.zip_rules import judge_zip
from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.bytecode.source_hash import source_hash

if TYPE_CHECKING:
    from pycache_guard.bundle.judge import ModuleVerdict

pytestmark = pytest.mark.slow

#: Even, so that zip files can have it.
TIME = 1_700_000_000
#: What happens to the time of a source after it was compiled.
TIMES = {"kept": TIME, "lost": TIME + 12_346, "zeroed": 0, "1980": 315_619_200}
LEVELS = (0, 1, 2)


def copy_sources(python: Python, top: Path) -> int:
    """Copy the standard library and all distributions that are installed here; return their number."""
    code = "import sysconfig; print(sysconfig.get_path('stdlib'))"
    library = subprocess.check_output([python.path, "-I", "-c", code], text=True).strip()
    places = {"library": Path(library), "site": Path(sysconfig.get_path("purelib"))}
    system = Path("/usr/lib/python3/dist-packages")
    if system.is_dir():
        places["system"] = system

    def keep_out(directory: str, names: list[str]) -> list[str]:
        return [
            name
            for name in names
            if name in ("__pycache__", "site-packages")
            or not (name.endswith(".py") or (Path(directory) / name).is_dir())
        ]

    for name, place in places.items():
        shutil.copytree(place, top / name, ignore=keep_out, ignore_dangling_symlinks=True)
    found = [p.name for place in places.values() for p in place.glob("*-info")]
    return len({name.partition("-")[0].lower().replace("-", "_") for name in found})


def make_header(magic: bytes, mode: str, source: bytes, mtime: int) -> bytes:
    """Return a header as the interpreter of `magic` writes it."""
    if mode == "timestamp":
        return magic + struct.pack("<III", 0, mtime, len(source))
    known = identify_magic(magic)
    assert known is not None
    digest = source_hash(source, known)
    assert digest is not None
    return magic + struct.pack("<I", 3 if mode == "checked-hash" else 1) + digest


def compile_bodies(python: Python, sources: list[Path], work: Path) -> dict[Path, bytes]:
    """Return a compiled file for each source that is valid in this Python."""
    code = (
        "import json, sys, py_compile\n"
        "for source, output in json.load(sys.stdin):\n"
        "    try: py_compile.compile(source, output, doraise=True, quiet=2)\n"
        "    except Exception: pass\n"
    )
    outputs = {source: work / f"{n}.pyc" for n, source in enumerate(sources)}
    requests = [[os.fspath(source), os.fspath(output)] for source, output in outputs.items()]
    import json

    subprocess.run(
        [python.path, "-I", "-S", "-W", "ignore", "-c", code],
        input=json.dumps(requests),
        text=True,
        check=True,
    )
    return {s: output.read_bytes() for s, output in outputs.items() if output.exists()}


def compare(
    python: Python, folders: list[str], level: int, found: dict[str, ModuleVerdict], top: Path
) -> int:
    """Compare verdicts with import; return how many were compared."""
    answers = python.ask(folders, level, is_fast=True)
    compared = 0
    for path, answer in answers.items():
        name = os.path.relpath(path, top)
        if "." in os.path.basename(name)[:-3]:
            continue
        module = found[name]
        is_used, is_written = answer if isinstance(answer, list) else (False, False)
        assert (module.state is State.USED, module.is_compiled) == (is_used, is_written), module
        compared += 1
    return compared


@pytest.mark.parametrize("python", pythons(), ids=lambda python: python.version)
def test_large_bundles_are_judged_as_import_does(tmp_path: Path, python: Python) -> None:
    chosen = random.Random(python.version)
    top, work = tmp_path / "top", tmp_path / "work"
    work.mkdir()
    distributions = copy_sources(python, top)
    sources = [path for path in sorted(top.rglob("*.py")) if not path.is_symlink()]
    bodies = compile_bodies(python, sources, work)
    target = target_of_version(python.version)
    packed: list[tuple[str, bytes, bytes, float]] = []
    for source, compiled in bodies.items():
        data, after = source.read_bytes(), TIMES[chosen.choice([*TIMES])]
        for level in LEVELS:
            mode = chosen.choice([*MODES.values()])
            header = make_header(compiled[:4], mode, data, TIME)
            optimization = f".opt-{level}" if level else ""
            cache = source.parent / "__pycache__" / f"{source.stem}.{python.tag}{optimization}.pyc"
            cache.parent.mkdir(exist_ok=True)
            if chosen.random() < 0.95:
                cache.write_bytes(header + compiled[16:])
        packed.append((os.path.relpath(source, top), data, header + compiled[16:], after))
        if chosen.random() < 0.05:  # edited after it was compiled
            source.write_bytes(data + b"#\n")
        os.utime(source, (after, after))
    folders = sorted({os.fspath(source.parent) for source in sources})
    tar_path = tmp_path / "a.tar"
    with tarfile.open(tar_path, "w") as archive:
        archive.add(top, ".")
    compared = 0
    with open(tar_path, "rb") as file:
        for level in LEVELS:
            judgement = judge(DiskTree(os.fspath(top)), target, level)
            found = {module.path: module for module in judgement.modules}
            compared += compare(python, folders, level, found, top)
            tree = ArchiveTree("a.tar", [Tar(file, Growth(1 << 32))], time_in_tar)
            unpacked = {module.path: module for module in judge(tree, target, level).modules}
            assert unpacked.keys() == found.keys()
            for name, module in unpacked.items():
                assert module._replace(why=found[name].why) == found[name]
    zipped = compare_zip(python, packed, tmp_path / "a.zip")
    print(
        f"\n{python.version}: {distributions} distributions, {len(bodies):,} modules;"
        f" {compared:,} verdicts on files and {zipped:,} on a zip file agree"
    )
    assert distributions >= 60


def compare_zip(python: Python, packed: list[tuple[str, bytes, bytes, float]], path: Path) -> int:
    """Compare the verdicts on a zip file with `zipimport`; return how many were compared."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, source, bytecode, after in packed:
            date = time.localtime(max(after, TIMES["1980"]))[:6]
            archive.writestr(zipfile.ZipInfo(name, date), source)
            archive.writestr(zipfile.ZipInfo(f"{name}c", date), bytecode)
    names = [name[:-3] for name, *_ in packed]
    answers = python.ask([[os.fspath(path), names]], is_fast=True)
    data = path.read_bytes()
    tree = ArchiveTree("a.zip", [Zip(io.BytesIO(data), Growth(len(data)))], time_in_zip)
    compared = 0
    for module in judge_zip(tree, target_of_version(python.version), 0).modules:
        if module.cause != "shadowed" and "." not in os.path.basename(module.path)[:-3]:
            answer = answers[f"{path}:{module.path[:-3]}"]
            assert isinstance(answer, list), (answer, module)
            assert (module.state is State.USED) is answer[0], module
            compared += 1
    return compared
