"""Compare two bytecode files: whether they have the same code, and what differs where."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from pycache_guard.bytecode.class_lines import mask_class_lines, stores_class_lines
from pycache_guard.bytecode.code_diff import ValueNumbering, find_code_difference
from pycache_guard.bytecode.code_facts import list_arguments, local_names, name_flags
from pycache_guard.bytecode.code_object import Code, Container
from pycache_guard.bytecode.tampering import file_names
from pycache_guard.inspection.render import (
    MAX_REPR_CHARS,
    describe_validation,
    short_repr,
    used_names,
    write_signature,
)
from pycache_guard.inspection.scopes import qualify
from pycache_guard.report.escape import escape_surrogates

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pycache_guard.bytecode.code_object import Value
    from pycache_guard.bytecode.header import Header
    from pycache_guard.bytecode.magic import Magic
    from pycache_guard.bytecode.pyc import Pyc


class Change(NamedTuple):
    """One difference of two files."""

    #: The code object, as in `walk_scopes`; None for the whole file.
    scope: str | None
    #: `header`, `interpreter`, `file names`, `line tables`, `function`, `arguments`, `flags`, `names`,
    #: `variables`, `constants` or `instructions`.
    kind: str
    #: What is in the first file only, and in the second file only, as Python writes it.
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    #: A clause that says more, or an empty string.
    note: str = ""


class FileDiff(NamedTuple):
    """The result of a comparison."""

    #: Whether both contain the same code, apart from header, file names and line tables.
    is_same: bool
    changes: list[Change]


def compare_files(old: Pyc, new: Pyc) -> FileDiff:
    """Compare two files. Raises `MarshalError` or `UnsupportedFormat` if they differ and one cannot be read.

    Files of different interpreters never have the same code; their names and constants are compared.
    """
    changes = [*_compare_headers(old.header, new.header)]
    magic, other = old.header.magic, new.header.magic
    if magic.data == other.data and body(old) == body(new):
        return FileDiff(is_same=True, changes=changes)
    first, second = old.code, new.code
    changes += _compare_file_names(first, second)
    is_comparable = magic.data == other.data
    found = [*_TreeComparison(magic, other).run(first, second)]
    lines = [change for change in found if change.kind == "line tables"]
    if lines:
        count = f"{len(lines)} code object{'s' if len(lines) > 1 else ''}"
        where = ", ".join(change.scope or "" for change in lines[:_SHOWN_SCOPES])
        more = ", …" if len(lines) > _SHOWN_SCOPES else ""
        changes.append(Change(None, "line tables", note=f"in {count}: {where}{more}"))
    found = [change for change in found if change.kind != "line tables"]
    if not is_comparable:
        words = [f"{m.implementation} {m.version} (magic {m.number})" for m in (magic, other)]
        note = "instructions and line tables are not compared"
        changes.insert(0, Change(None, "interpreter", (words[0],), (words[1],), note))
        return FileDiff(is_same=False, changes=changes + found)
    difference = find_code_difference(first, second)
    if difference is not None and stores_class_lines(magic):
        # Trees of their own, because masking changes them.
        trees = [pyc.read_again() for pyc in (old, new)]
        for tree in trees:
            mask_class_lines(tree, magic)
        difference = find_code_difference(*trees)
    if difference is None:
        return FileDiff(is_same=True, changes=changes)
    if not found:
        # Something that the views of names and constants do not show, such as the order of constants.
        scope = ".".join(difference.path[1:]) or difference.path[0]
        found.append(
            Change(scope, difference.field.partition("[")[0], note="in another order or form")
        )
    return FileDiff(is_same=False, changes=changes + found)


#: Names of code objects that one line shows.
_SHOWN_SCOPES = 5


def body(pyc: Pyc) -> bytes:
    """Return what follows the header."""
    return pyc.data[pyc.header.magic.header_length :]


def _compare_headers(old: Header, new: Header) -> Iterator[Change]:
    first, second = describe_validation(old), describe_validation(new)
    if first != second:
        yield Change(None, "header", (first,), (second,))


def _compare_file_names(old: Code, new: Code) -> Iterator[Change]:
    first, second = dict.fromkeys(file_names(old)), dict.fromkeys(file_names(new))
    if [*first] != [*second]:
        removed = tuple([repr(name) for name in first if name not in second])
        added = tuple([repr(name) for name in second if name not in first])
        yield Change(None, "file names", removed, added)


class _TreeComparison:
    """Walks two trees in step: a code object is compared with the one of the same name, in order."""

    def __init__(self, magic: Magic, other: Magic) -> None:
        self._magic = magic
        self._other = other
        self._is_comparable = magic.data == other.data
        self._numbers = ValueNumbering()
        #: By the identities of two tuples, because many code objects can share a long one.
        self._compared: dict[
            tuple[int, int], tuple[Any, Any, tuple[str, ...], tuple[str, ...]]
        ] = {}

    def run(self, old: Code, new: Code) -> Iterator[Change]:
        """Yield the differences in the order of the files."""
        seen: set[int] = set()
        pending: list[tuple[str, Code | None, Code | None]] = [("", old, new)]
        while pending:
            outer, ours, theirs = pending.pop()
            code = ours or theirs
            assert code is not None
            scope = qualify(outer, code.name)
            if ours is None or theirs is None:
                line = f"line {code.firstlineno}, {len(code.code)} bytes"
                if ours is None:
                    yield Change(
                        scope, "function", added=(write_signature(code, code.name),), note=line
                    )
                else:
                    yield Change(scope, "function", (write_signature(code, code.name),), note=line)
                continue
            yield from self._compare(scope, ours, theirs)
            inner = "" if ours is old else scope
            pairs = []
            for pair in pair_nested(ours, theirs):
                identities = {id(part) for part in pair if part is not None}
                if not identities <= seen:
                    seen |= identities
                    pairs.append((inner, *pair))
            pending.extend(reversed(pairs))

    def _compare(self, scope: str, ours: Code, theirs: Code) -> Iterator[Change]:
        first, second = list_arguments(ours), list_arguments(theirs)
        if first != second:
            yield Change(scope, "arguments", (", ".join(first),), (", ".join(second),))
        flags = name_flags(ours.flags, self._magic), name_flags(theirs.flags, self._other)
        yield from self._compare_lists(scope, "flags", *flags)
        for kind, names in (("names", used_names), ("variables", local_names)):
            yield from self._compare_lists(scope, kind, names(ours), names(theirs))
        yield from self._compare_constants(scope, ours.consts, theirs.consts)
        if not self._is_comparable:
            return
        fields = ("code", "exceptiontable", "stacksize")
        if any(ours.fields.get(field) != theirs.fields.get(field) for field in fields):
            first_size, second_size = len(ours.code), len(theirs.code)
            sizes = (
                f"{first_size} bytes"
                if first_size == second_size
                else f"{first_size} bytes, now {second_size}"
            )
            yield Change(scope, "instructions", note=sizes)
        if any(
            ours.fields.get(field) != theirs.fields.get(field)
            for field in ("firstlineno", "linetable")
        ):
            yield Change(scope, "line tables")

    def _compare_lists(
        self, scope: str, kind: str, ours: Sequence[str], theirs: Sequence[str]
    ) -> Iterator[Change]:
        """Yield the texts that one of two lists has and the other does not have as often."""
        if ours == theirs:
            return
        key = id(ours), id(theirs)
        if key not in self._compared:
            first, second = Counter(ours), Counter(theirs)
            removed, added = (*(first - second).elements(),), (*(second - first).elements(),)
            # The lists are kept, so that no other ones get their identities.
            self._compared[key] = ours, theirs, removed, added
        removed, added = self._compared[key][2:]
        if removed or added:
            yield Change(scope, kind, removed, added)

    def _compare_constants(
        self, scope: str, ours: tuple[Value, ...], theirs: tuple[Value, ...]
    ) -> Iterator[Change]:
        key = id(ours), id(theirs)
        if key not in self._compared:
            removed, added = self._subtract(ours, theirs), self._subtract(theirs, ours)
            self._compared[key] = ours, theirs, *render_changed(removed, added)
        removed_words, added_words = self._compared[key][2:]
        if removed_words or added_words:
            yield Change(scope, "constants", removed_words, added_words)

    def _subtract(self, ours: tuple[Value, ...], theirs: tuple[Value, ...]) -> list[Value]:
        """Return the items of `ours` that `theirs` does not have as often; code objects are left out."""
        left = Counter([self._numbers.number(v) for v in theirs if not isinstance(v, Code)])
        found: list[Value] = []
        for value in ours:
            if not isinstance(value, Code):
                number = self._numbers.number(value)
                left[number] -= 1
                if left[number] < 0:
                    found.append(value)
        return found


#: Characters that precede the first difference of two long strings.
_CONTEXT_CHARS = 15


def render_changed(
    removed: Sequence[Value], added: Sequence[Value]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return removed and added constants as Python writes them.

    Of two long strings, the part before their difference is left out.
    """
    if len(removed) == len(added) == 1:
        old, new = removed[0], added[0]
        if (
            isinstance(old, str)
            and isinstance(new, str)
            and min(len(old), len(new)) > MAX_REPR_CHARS
        ):
            start = max(count_common(old, new) - _CONTEXT_CHARS, 0)
            dots = "…" if start else ""
            return (dots + short_repr(old[start:]),), (dots + short_repr(new[start:]),)
    return tuple(map(short_repr, removed)), tuple(map(short_repr, added))


def count_common(old: str, new: str) -> int:
    """Return the number of characters with which both strings begin."""
    known, longest = 0, min(len(old), len(new))
    while known < longest:
        middle = (known + longest + 1) // 2
        if old[known:middle] == new[known:middle]:
            known = middle
        else:
            longest = middle - 1
    return known


def pair_nested(ours: Code, theirs: Code) -> Iterator[tuple[Code | None, Code | None]]:
    """Yield the code objects in two code objects: those of one name together, in their order."""
    first, second = _by_name(ours), _by_name(theirs)
    for name, codes in first.items():
        others = second.get(name, [])
        for n in range(max(len(codes), len(others))):
            yield (
                codes[n] if n < len(codes) else None,
                others[n] if n < len(others) else None,
            )
    for name, codes in second.items():
        if name not in first:
            for code in codes:
                yield None, code


def _by_name(code: Code) -> dict[str, list[Code]]:
    """Return the code objects directly in `code`, also those in collections, by name."""
    found: dict[str, list[Code]] = {}
    seen: set[int] = set()
    pending: list[Value] = [*reversed(code.consts)]
    while pending:
        value = pending.pop()
        if not isinstance(value, tuple) or id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Code):
            found.setdefault(value.name, []).append(value)
        else:
            items = value.items if isinstance(value, Container) else value
            pending.extend(reversed(items))
    return found


def diff_to_text(old: str, new: str, diff: FileDiff, limit: int) -> Iterator[str]:
    """Yield the lines of a comparison of the files at `old` and `new`."""
    yield f"--- {old}"
    yield f"+++ {new}"
    yield "same code" if diff.is_same else "different code"
    for change in diff.changes[:limit]:
        yield f"  {_describe(change)}"
    if len(diff.changes) > limit:
        yield f"  {len(diff.changes) - limit:,} more: use a larger --limit"


def _describe(change: Change) -> str:
    """Return a change as one line."""
    words = []
    for sign, values in (("-", change.removed), ("+", change.added)):
        words += [f"{sign} {value}" for value in values[:_SHOWN_VALUES]]
        if len(values) > _SHOWN_VALUES:
            words.append(f"{sign} {len(values) - _SHOWN_VALUES:,} more")
    where = "" if change.scope is None else f"{change.scope}: "
    note = f" ({change.note})" if change.note and words else change.note
    return f"{where}{change.kind}: {', '.join(words)}{note}"


#: Values that one line shows of each side; JSON has more.
_SHOWN_VALUES = 20


def diff_to_json(old: str, new: str, diff: FileDiff, limit: int) -> dict[str, object]:
    """Return the value of `diff` in JSON; every key is present."""
    return {
        "old": escape_surrogates(old),
        "new": escape_surrogates(new),
        "same": diff.is_same,
        "changes": [
            {
                "code": None if change.scope is None else escape_surrogates(change.scope),
                "kind": change.kind,
                "removed": [*map(escape_surrogates, change.removed[:limit])],
                "added": [*map(escape_surrogates, change.added[:limit])],
                "note": escape_surrogates(change.note) or None,
            }
            for change in diff.changes[:limit]
        ],
        "omitted": max(len(diff.changes) - limit, 0),
    }
