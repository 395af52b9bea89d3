"""Whether Python takes a bytecode file for its source's: the rules of import.

Source: `SourceLoader.get_code` in CPython `Lib/importlib/_bootstrap_external.py`, the same from 3.7 to
3.15; for the formats before PEP 552, `Python/import.c`.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from pycache_guard.bytecode.header import SourceHash
from pycache_guard.bytecode.header import Timestamp
from pycache_guard.bytecode.siphash import source_hash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pycache_guard.bytecode.header import Header
    from pycache_guard.bytecode.magic import Magic


class Standing(Enum):
    """What becomes of a file when its module is imported."""

    #: It is run, here and now.
    RUNS = "runs"
    #: It is run where the source has another time, or other line ends.
    MAY_RUN = "may run"
    #: The source is compiled anew.
    STALE = "stale"


class Fit(NamedTuple):
    """How a file fits its source."""

    standing: Standing
    #: In words, to follow "because".
    why: str
    #: Whether nothing but the time speaks against it: so it is after every checkout.
    only_time: bool = False


class Source(NamedTuple):
    """What import asks of a source."""

    size: int
    #: As in `os.stat`; `None` where sources have none, in an index or a commit.
    mtime: float | None
    #: Gives the bytes.
    read: Callable[[], bytes]


def fit(
    header: Header,
    source: Source,
    hashed: Callable[[bytes, Magic], bytes | None] = source_hash,
) -> Fit:
    """Tell whether Python would take the file with `header` for that of `source`.

    Raises what `source.read` raises. It is asked only where a hash, or line ends, matter.
    """
    validation = header.validation
    if isinstance(validation, Timestamp):
        return _by_timestamp(validation, source)
    if isinstance(validation, SourceHash):
        return _by_hash(validation, header.magic, source, hashed)
    return Fit(Standing.MAY_RUN, "what ties it to its source is not in a header")


def other_line_ends(source: bytes) -> bytes:
    r"""Return `source` with `\n` for its `\r\n`, or with `\r\n` for its `\n` where it has none.

    Git gives Windows the other ones than it stores.
    """
    if b"\r\n" in source:
        return source.replace(b"\r\n", b"\n")
    return source.replace(b"\n", b"\r\n")


def _by_timestamp(stamp: Timestamp, source: Source) -> Fit:
    timely = source.mtime is None or stamp.has_mtime(source.mtime)
    if not stamp.has_size(source.size):
        if stamp.has_size(len(other_line_ends(source.read()))):
            why = "its source has other line ends than the one it was made from"
            return Fit(Standing.MAY_RUN if timely else Standing.STALE, why, only_time=not timely)
        why = f"its source has {source.size} bytes, and had {stamp.source_size}"
        return Fit(Standing.STALE, why)
    if source.mtime is None:
        return Fit(Standing.MAY_RUN, "the size is its source's; the time can be made so")
    if timely:
        sizes = "time is" if stamp.source_size is None else "time and size are"
        return Fit(Standing.RUNS, f"{sizes} its source's")
    return Fit(Standing.STALE, "its source has another time", only_time=True)


def _by_hash(
    validation: SourceHash,
    magic: Magic,
    source: Source,
    hashed: Callable[[bytes, Magic], bytes | None],
) -> Fit:
    if not validation.checked:
        return Fit(Standing.RUNS, "its flags say never to look at the source")
    data = source.read()
    digest = hashed(data, magic)
    if digest is None:
        return Fit(Standing.MAY_RUN, f"how {magic.implementation} hashes sources is not known here")
    if digest == validation.digest:
        return Fit(Standing.RUNS, "the hash is its source's")
    if source_hash(other_line_ends(data), magic) == validation.digest:
        return Fit(Standing.MAY_RUN, "the hash is its source's with other line ends")
    return Fit(Standing.STALE, "its source has another hash")
