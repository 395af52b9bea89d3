"""Bundles: damaged archives get a verdict or a reason, and the same files the same verdict however they are packed."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import struct
import tarfile
import tempfile
import zipfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fuzz.target import Target
from fuzz.targets import archives
from fuzz.targets.inspection import MARK, NoCompilers
from pycache_guard.bundle.archived import open_archived
from pycache_guard.bundle.bundles import Bundle
from pycache_guard.bundle.check import MODES, Expectation, check_bundle
from pycache_guard.bundle.judge import judge
from pycache_guard.bundle.proof import Compilers
from pycache_guard.bundle.target import target_of_version
from pycache_guard.bundle.tree import DiskTree
from pycache_guard.bytecode.source_hash import source_hash
from pycache_guard.errors import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.bundle.judge import Judgement
    from pycache_guard.interpreters.pool import CompilerPool

TARGET = target_of_version("3.11")
#: The first byte of an input says which name the archive bears.
NAMES = (*archives.NAMES, "a.pyz", "image.tar")
TOKENS = (
    *(MARK, b"\0", b"/", b"__pycache__/", b".py", b".pyc", b".so", b"__init__", b".opt-1"),
    *(b".cpython-311", b".cpython-312", b".pypy310", TARGET.magic, bytes(4), b"\1\0\0\0"),
    *(b"\2\0\0\0", b"\3\0\0\0", b"\4\0\0\0", b"\xe3", b"manifest.json", b".wh."),
)


_SPECIAL = re.compile(r"[^\w./-]|\.wh\.", re.ASCII)


class NoInterpreters(Compilers):
    """No interpreter: what a compiler is given is not what is tried here."""

    @property
    def pool(self) -> CompilerPool:
        """A pool without a compiler."""
        return NoCompilers()


class File(NamedTuple):
    """A file of a bundle."""

    time: int
    data: bytes


def check_archive(name: str, data: bytes, *, has_zipimport: bool) -> list[Judgement]:
    """Check an archive; return what was judged."""
    with contextlib.ExitStack() as closing:
        try:
            bundles = open_archived(name, io.BytesIO(data), closing, has_zipimport=has_zipimport)
        except Failure as failure:
            assert len(str(failure).splitlines()) == 1
            return []
        return [each for bundle in bundles for each in check_one(bundle, len(data))]


def check_one(bundle: Bundle, number: int) -> Iterator[Judgement]:
    """Yield the judgement of a bundle, unless nothing in it can be judged; `number` chooses options."""
    expected = Expectation(TARGET, number % 3, (None, *MODES)[number % 4])
    try:
        result = check_bundle(bundle, expected, NoInterpreters())
    except Failure as failure:
        assert len(str(failure).splitlines()) == 1
        return
    assert len(result.summarize().splitlines()) == 1
    paths = [module.path for module in result.judgement.modules]
    assert len(paths) == len(set(paths))
    for finding in result.findings:
        assert finding.path is not None
        assert finding.message
    yield result.judgement


def check_damaged(data: bytes) -> str:
    """Check any bytes as an archive."""
    name = NAMES[data[0] % len(NAMES)] if data else NAMES[0]
    judged = check_archive(name, data[1:], has_zipimport=bool(data and data[0] & 128))
    return "judged" if judged else "not judged"


def check_packed(data: bytes) -> str:
    """Pack the same files in several ways, and compare what is said of them."""
    files = read_recipe(data)
    with tempfile.TemporaryDirectory() as top:
        for name, file in files.items():
            path = Path(top, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.data)
            os.utime(path, (file.time, file.time))
        bundle = Bundle(top, DiskTree(top), judge, is_archive=False)
        expected = [describe(each) for each in check_one(bundle, len(data))]
        assert bundle.tree.failures == []
    for name, packed in (
        ("a.tar", as_tar(files)),
        ("a.zip", as_zip(files)),
        ("image.tar", as_image(files)),
    ):
        with contextlib.ExitStack() as closing:
            (bundle,) = open_archived(name, io.BytesIO(packed), closing, has_zipimport=False)
            found = [describe(each) for each in check_one(bundle, len(data))]
            assert bundle.tree.failures == []
        assert found == expected, name
    check_archive("a.pyz", as_zip(files), has_zipimport=True)
    return "judged" if expected else "no module"


def describe(judgement: Judgement) -> object:
    """Return a judgement without the words, which tell more about a directory."""
    return (
        [module._replace(why="") for module in judgement.modules],
        [stray[:3] for stray in judgement.strays],
        judgement.other_levels,
        [module.path for module in judgement.unchecked],
    )


def read_recipe(data: bytes) -> dict[str, File]:
    """Return the files that an input describes: name, NUL, time, content; `MARK` stands between them."""
    files: dict[str, File] = {}
    directories: set[str] = set()
    for record in data.split(MARK):
        name, _, rest = record.partition(b"\0")
        # Characters that every system takes; `.wh.` has a meaning in layers of images.
        text = _SPECIAL.sub("-", name.decode("latin-1"))
        parts = [part[:60] for part in text[:600].split("/") if part not in ("", ".", "..")]
        above = {"/".join(parts[:n]) for n in range(1, len(parts))}
        path = "/".join(parts)
        # A list makes an image of any archive.
        is_image = path == "manifest.json" and rest[4:5] == b"["
        if parts and not is_image and path not in directories and not above & files.keys():
            directories |= above
            files.setdefault(path, File(int.from_bytes(rest[:4], "little") >> 1, rest[4:]))
    return files


def as_tar(files: dict[str, File]) -> bytes:
    """Return a tar file."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, file in files.items():
            info = tarfile.TarInfo(name)
            info.mtime, info.size = file.time, len(file.data)
            archive.addfile(info, io.BytesIO(file.data))
    return data.getvalue()


def as_zip(files: dict[str, File]) -> bytes:
    """Return a zip file with times of Info-ZIP, which are exact and in UTC."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, file in files.items():
            info = zipfile.ZipInfo(name)
            info.extra = struct.pack("<HHBi", 0x5455, 5, 1, file.time)
            archive.writestr(info, file.data, zipfile.ZIP_DEFLATED)
    return data.getvalue()


def as_image(files: dict[str, File]) -> bytes:
    """Return what `docker save` writes: a layer that another one hides, part by part."""
    lower = {name: File(1, b"other") for n, name in enumerate(files) if n % 2}
    lower |= {"by-name.py": File(1, b""), "by-directory/m.py": File(1, b"")}
    hiding = {".wh.by-name.py": File(1, b""), "by-directory/.wh..wh..opq": File(1, b"")}
    manifest = json.dumps([{"Layers": ["lower.tar", "upper.tar"]}]).encode()
    members = {"lower.tar": as_tar(lower), "upper.tar": as_tar({**hiding, **files})}
    return as_tar(
        {name: File(1, each) for name, each in {**members, "manifest.json": manifest}.items()}
    )


@cache
def recipes() -> list[bytes]:
    """Return descriptions of bundles in which every sort of verdict occurs."""
    time, source = 1_700_000_000, b"x = 1\n"
    magic, code = TARGET.magic, b"\xe3" + bytes(60)
    stamp = struct.pack("<III", 0, time, len(source))
    known = b"\1\0\0\0", b"\3\0\0\0"
    hashed = [magic + flags + source_hash_of(source) + code for flags in known]
    cache = "__pycache__/m.cpython-311.pyc"
    bundles: list[dict[str, bytes]] = [
        {"m.py": source},
        {"m.py": source, cache: magic + stamp + code},
        {"m.py": source, cache: magic + stamp},
        {"m.py": source + b"#", cache: hashed[0]},
        {"p/m.py": source, f"p/{cache}": hashed[1], "p/__init__.py": b""},
        {"m.py": source, "m.pyc": hashed[1], "m/__init__.py": b"", "m.cpython-311-x.so": b""},
        {"m.py": source, cache.replace("11.", "11.opt-1."): hashed[0], cache: b"\x33\r\r\n"},
        {"m.pyc": magic + stamp + code, "n.pyc": b"", "__pycache__/o.pypy310.pyc": b""},
    ]
    return [
        MARK.join(
            name.encode() + b"\0" + struct.pack("<I", 2 * time & 0xFFFFFFFE) + data
            for name, data in bundle.items()
        )
        for bundle in bundles
    ]


def source_hash_of(source: bytes) -> bytes:
    """Return the hash that a header of the target has."""
    from pycache_guard.bytecode.magic import identify_magic

    magic = identify_magic(TARGET.magic)
    assert magic is not None
    digest = source_hash(source, magic)
    assert digest is not None
    return digest


@cache
def damaged() -> list[bytes]:
    """Return archives of each sort."""
    made = [read_recipe(recipe) for recipe in recipes()]
    images = [bytes([NAMES.index("image.tar")]) + as_image(files) for files in made[:2]]
    zips = [bytes([NAMES.index("a.pyz")]) + as_zip(files) for files in made]
    tars = [bytes([NAMES.index("a.tar")]) + as_tar(files) for files in made[-3:]]
    return sorted([*archives.seeds(), *images, *zips, *tars], key=len)


TARGETS = {
    "bundles": Target(check_damaged, damaged, (*TOKENS, *archives.TOKENS)),
    "packing": Target(check_packed, recipes, TOKENS),
}
