"""`check-bundle`: 5 000 modules, an image archive of 1 GB, and the start of an application from a zip."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import memory
from benchmarks.measure import compare, figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.measure import Figure

#: The application: what it imports, and with it what these depend on.
PEERS = ("flask", "httpx")

MODULES = 5_000
SOURCE = "import os\n\n\ndef function() -> int:\n    return {number}\n" * 20
#: Of each layer of the large image, and how many it has.
LAYER_BYTES = 128 << 20
LAYERS = 8
#: 1980-01-01 00:00 UTC.
DAY_IN_1980 = 315_532_800


def figures(scripts: Path, work: Path) -> Iterator[Figure]:
    """Measure against `compileall`, which only reads the headers again, and the memory of an image."""
    guard, python = str(scripts / "pycache-guard"), str(scripts / "python")
    top = make_packages(work / "bundle", MODULES)
    compile_all = [python, "-m", "compileall", "-q", "bundle"]
    subprocess.run(compile_all, cwd=work, check=True)
    yield compare(
        f"check-bundle, {MODULES} modules",
        [[guard, "check-bundle", top.name]],
        "python -m compileall -q of what is compiled",
        [compile_all],
        1.5,
        cwd=work,
        rounds=9,
    )
    yield start_of_application(guard, Path(python), work / "application")
    small, large = (
        image(work / "small.tar", 1, 1 << 20),
        image(work / "large.tar", LAYERS, LAYER_BYTES),
    )
    peaks = [
        memory.alone(
            scripts / "python", ["check-bundle", path.name, "--python", "3.13"], work, work
        )
        for path in (large, small)
    ]
    large.unlink()
    yield figure(
        "check-bundle, an image of 1 GB, memory",
        "an image of 1 MB",
        [(peaks[0], peaks[1])],
        1.5,
        "MB",
    )


def start_of_application(guard: str, python: Path, work: Path) -> Figure:
    """Pack an application as for AWS Lambda, unpack it, and import it, before and after `--fix`.

    Before: the caches that pip wrote, whose times do not survive the zip file. The directory is not
    written.
    """
    command = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = subprocess.check_output(command, text=True).strip()
    build = work / "build"
    shutil.copytree(site, build, ignore=shutil.ignore_patterns("pip", "*.pth", "pycache_guard"))
    places = [repack(build, work / "before")]
    fix = [guard, "check-bundle", "--fix", "--python", str(python), "--expect", "unchecked-hash"]
    subprocess.run(
        [*fix, "--destination", "/var/task", str(build)], check=False, stdout=subprocess.DEVNULL
    )
    places.append(repack(build, work / "after"))
    imports = ";".join(f"import {name}" for name in PEERS)
    before, after = (
        [
            [
                str(python),
                "-B",
                "-S",
                "-c",
                f"import sys; sys.path.insert(0, {str(place)!r}); {imports}",
            ]
        ]
        for place in places
    )
    return compare(
        f"import {', '.join(PEERS)} from an unpacked zip, after --fix",
        after,
        "the same with the caches of pip",
        before,
        1,
        cwd=work,
        rounds=9,
    )


def repack(build: Path, unpacked: Path) -> Path:
    """Pack a directory with the time that builders write, 1980, and unpack it with that time."""
    archive = unpacked.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(build.rglob("*")):
            if path.is_file():
                file.writestr(
                    zipfile.ZipInfo(path.relative_to(build).as_posix()), path.read_bytes()
                )
    with zipfile.ZipFile(archive) as file:
        file.extractall(unpacked)  # noqa: S202 - it was made here
    for path in unpacked.rglob("*"):
        os.utime(path, (DAY_IN_1980, DAY_IN_1980))
    return unpacked


def make_packages(top: Path, number: int) -> Path:
    """Make modules in packages."""
    for n in range(number):
        package = top / f"package_{n % 100:03}"
        package.mkdir(parents=True, exist_ok=True)
        (package / f"module_{n:05}.py").write_text(SOURCE.format(number=n), encoding="utf-8")
    return top


def image(path: Path, layers: int, size: int) -> Path:
    """Make an image archive; each layer has a module and a file of `size` bytes."""
    names = [f"{number:064x}/layer.tar" for number in range(layers)]
    manifest = json.dumps([{"Layers": names}]).encode()
    with tarfile.open(path, "w") as archive:
        for number, name in enumerate(names):
            layer = io.BytesIO()
            with tarfile.open(fileobj=layer, mode="w") as inner:
                add(inner, f"app/module_{number}.py", b"x = 1\n")
                add(inner, f"data/{number}", bytes(size))
            add(archive, name, layer.getvalue())
        add(archive, "manifest.json", manifest)
    return path


def add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    """Add a file to an archive."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))
