"""Open an archive as the kind that installers see: by its name, otherwise by its first bytes.

The readers of each kind are in the modules of this package.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pycache_guard.archives.member import ArchiveError
from pycache_guard.archives.streams import find_decompressor
from pycache_guard.archives.tars import BLOCK_BYTES, Tar, is_header
from pycache_guard.archives.zip_directory import has_directory
from pycache_guard.archives.zips import Zip

if TYPE_CHECKING:
    from typing import IO

    from pycache_guard.archives.member import Archive, Growth

ZIPS = (".whl", ".zip", ".egg", ".pyz", ".pyzw")
TARS = (
    *(".tar", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst"),
    *(".tgz", ".tbz", ".tbz2", ".txz", ".tzst"),
)

_LOCAL_HEADER = b"PK\x03\x04"
#: The names of layers in an image archive: in the OCI image layout, and in the older `docker save`.
_LAYER = re.compile(
    r"(?:.*/)?blobs/sha\d+/[0-9a-f]{64,}|(?:.*/)?[0-9a-f]{64}(?:/layer)?\.tar(?:\.gz)?"
)

#: Every name of a layer is at least this long.
MIN_LAYER_NAME_CHARS = 64


def is_archive(name: str, head: bytes) -> bool:
    """Return whether a member is an archive, by its name or its first bytes."""
    return (
        name.lower().endswith((*ZIPS, *TARS))
        or head.startswith(_LOCAL_HEADER)
        or is_layer(name, head)
    )


def is_layer(name: str, head: bytes) -> bool:
    """Return whether a member is a layer of an image: a tar file with a certain name."""
    if len(name) < MIN_LAYER_NAME_CHARS or not _LAYER.fullmatch(name):
        return False
    return find_decompressor(head) is not None or is_header(head[:BLOCK_BYTES])


def open_archive(file: IO[bytes], name: str, growth: Growth) -> Archive:
    """Return the reader of an archive. `growth` counts the unpacked bytes.

    Raises `ArchiveError` for a file that is not an archive, is damaged, or is of two kinds.
    """
    lowered = name.lower()
    if lowered.endswith(ZIPS):
        return Zip(file, growth)
    file.seek(0)
    head = file.read(BLOCK_BYTES)
    if lowered.endswith(TARS) or find_decompressor(head) or is_header(head):
        return Tar(file, growth)
    if not has_directory(file):
        raise ArchiveError("is not a zip or tar file")
    return Zip(file, growth)
