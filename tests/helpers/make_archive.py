"""Make archives, and check them."""

from __future__ import annotations

import io
import marshal
import struct
import tarfile
import zipfile
from importlib.util import MAGIC_NUMBER, source_hash
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.report_parser import CLEAN, parse_report
from pycache_guard.dist.metadata import ANY_BACKEND, EXCLUDE_SETTINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import Run

SOURCE = b"x = 1\n"
TAG = "__pycache__/m.cpython-311.pyc"
CODE = marshal.dumps(compile(SOURCE, "m.py", "exec", dont_inherit=True))


def timestamp_member(mtime: int = 1000, size: int = len(SOURCE)) -> bytes:
    """Return a timestamp-based `.pyc`."""
    return MAGIC_NUMBER + struct.pack("<III", 0, mtime, size) + CODE


def hash_member(source: bytes = SOURCE, *, checked: bool = True) -> bytes:
    """Return a hash-based `.pyc`, checked or unchecked."""
    return MAGIC_NUMBER + struct.pack("<I", 1 + 2 * checked) + source_hash(source) + CODE


def make_zip(
    members: Mapping[str, bytes],
    *,
    method: int = zipfile.ZIP_DEFLATED,
    links: Mapping[str, str] = {},
) -> bytes:
    """Return a zip file."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as file:
        for name, content in members.items():
            file.writestr(name, content)
        for name, target in links.items():
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, 0o120777 << 16
            file.writestr(info, target)
    return data.getvalue()


def make_tar(
    members: Mapping[str, bytes], *, mode: str = "w:gz", mtimes: Mapping[str, int] = {}
) -> bytes:
    """Return a tar file; the modification time of a member is 1000, or the one in `mtimes`."""
    data = io.BytesIO()
    # typeshed accepts only literals.
    with tarfile.open(fileobj=data, mode=mode) as file:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(content), mtimes.get(name, 1000)
            file.addfile(info, io.BytesIO(content))
    return data.getvalue()


def make_special_tar(*infos: tarfile.TarInfo) -> bytes:
    """Return a tar file of special members."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as file:
        for info in infos:
            file.addfile(info)
    return data.getvalue()


def special_member(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    """Return a member without content."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def messages(out: str) -> list[str]:
    """Return the messages of a text report, without place, code and hint."""
    hints = (*EXCLUDE_SETTINGS.values(), ANY_BACKEND)
    found = [line.words for line in parse_report(out)]
    for hint in hints:
        found = [words.removesuffix(f"; {hint}") for words in found]
    return found


def check_archive(run: Run, name: str, data: bytes) -> list[str]:
    """Return the messages about a readable archive."""
    Path(name).write_bytes(data)
    result = run("check-dist", name)
    found = messages(result.out)
    assert (result.code, result.err) == (1 if found else 0, "")
    assert found or result == CLEAN
    return found
