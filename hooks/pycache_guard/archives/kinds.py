"""Which reader an archive is for: by its name, as installers have it, else by its first bytes."""

from __future__ import annotations

from pycache_guard.archives.member import Unjudgeable
from pycache_guard.archives.streams import MAGICS
from pycache_guard.archives.zips import Zip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO

    from pycache_guard.archives.member import Archive

ZIPS = (".whl", ".zip", ".egg", ".pyz", ".pyzw")
TARS = (
    *(".tar", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst"),
    *(".tgz", ".tbz", ".tbz2", ".txz", ".tzst"),
)

_LOCAL_HEADER = b"PK\x03\x04"
_USTAR = 257


def is_archive(name: str, head: bytes) -> bool:
    """Whether a member of that name, with those first bytes, is an archive: any zip is one."""
    return name.lower().endswith((*ZIPS, *TARS)) or head.startswith(_LOCAL_HEADER)


def opened(file: IO[bytes], name: str) -> Archive:
    """Return the reader of an archive. Raises `Unjudgeable` for what is none, or broken."""
    lowered = name.lower()
    if lowered.endswith(ZIPS):
        return Zip(file)
    head = file.read(_USTAR + 5)
    packed = head.startswith(tuple(magic for magic, _ in MAGICS))
    if lowered.endswith(TARS) or packed or head.endswith(b"ustar"):
        from pycache_guard.archives.tars import Tar  # 6 ms

        return Tar(file)
    try:
        return Zip(file)
    except Unjudgeable:
        raise Unjudgeable("is no archive that is known: a zip file or a tar file") from None
