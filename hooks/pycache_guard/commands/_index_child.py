"""Examine a large index in a process of its own, which starts before the command `ci` is imported.

The threads of one process take turns (the lock of the interpreter), so the other checks would wait. The first
process compares what is found with the configuration, which it knows by then.
"""

# hot path: see tests/test_budgets.py

from __future__ import annotations

from pycache_guard import compat
from pycache_guard.errors import Failure
from pycache_guard.git.index import Index, index_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pycache_guard.commands._forks import ForkedChild
    from pycache_guard.scan import Examined

#: An index file of more bytes than this, of some 5,000 entries, is worth a process.
LARGE_INDEX_BYTES = 1 << 19

#: The process that was started for the command that is about to be imported.
_started: list[ForkedChild] = []


def start_index_child() -> None:
    """Start a process that examines the index, if it is large and there is another processor."""
    _started.clear()
    if not compat.HAS_FORK or index_bytes() <= LARGE_INDEX_BYTES or compat.count_processors() == 1:
        return
    from pycache_guard.commands._forks import ForkedChild

    try:  # noqa: SIM105 - contextlib costs 1 ms
        _started.append(ForkedChild(examine_for_parent))
    except OSError:  # a limit on processes, memory or descriptors
        pass


def examine_for_parent() -> list[object] | None:
    """Return what `encode_examined` returns for the index, or None after an error.

    The first process examines the index again after an error, and reports it as without a child.
    """
    try:
        index = Index()
        index.start_early(compare=False)
        import json  # noqa: F401 - for the answer, while git runs

        from pycache_guard.scan import examine_tracked

        return encode_examined(examine_tracked(index, content="all"))
    except Exception:  # noqa: BLE001 - the first process will see the same
        return None


def examine_in_child() -> Examined:
    """Return what the child has found; without a child, or after an error in it, examine the index here."""
    values = None
    if _started:
        child = _started.pop()
        try:
            values = child.read()
        except Failure:  # it was ended
            pass
        finally:
            child.stop()
    if values is not None:
        return decode_examined(values)
    from pycache_guard.ci.checks import examine_index

    return examine_index()


def encode_examined(examined: Examined) -> list[object]:
    """Return `examined` as values for JSON: bytes are Latin-1."""
    held, converted = examined.contents.held, examined.contents.converted
    unread = examined.unread
    return [
        [record.decode("latin-1") for record in examined.named],
        [record.decode("latin-1") for record in examined.holders],
        {blob: head.decode("latin-1") for blob, head in held.items()},
        [
            (record.decode("latin-1"), how, head.decode("latin-1"))
            for record, (how, head) in converted.items()
        ],
        (unread.entries, unread.read, unread.counts, unread.firsts),
    ]


def decode_examined(values: Any) -> Examined:
    """Return what `encode_examined` has made `values` of."""
    from pycache_guard.scan import Contents, Examined, Unread

    named, holders, held, converted, counted = values
    contents = Contents()
    contents.held = {blob: head.encode("latin-1") for blob, head in held.items()}
    contents.converted = {
        record.encode("latin-1"): (how, head.encode("latin-1")) for record, how, head in converted
    }
    unread = Unread()
    unread.entries, unread.read, unread.counts, unread.firsts = counted
    return Examined(
        [record.encode("latin-1") for record in named],
        [record.encode("latin-1") for record in holders],
        contents,
        unread,
    )
