"""Names that are not UTF-8, which git on Windows also gets from commits made elsewhere."""

from __future__ import annotations


def decode_posix_name(name: bytes) -> str:
    """Return `name` as `os.fsdecode` returns it on POSIX. On Windows that raises `UnicodeDecodeError`."""
    return name.decode("utf-8", "surrogateescape")
