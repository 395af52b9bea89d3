"""What `inspect` prints of any file: its strings, what its source does not contain, and two files compared."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from fuzz import corpus
from fuzz.target import Target
from fuzz.targets.bytecode import TYPES
from pycache_guard.bytecode.code_object import marshal_format
from pycache_guard.bytecode.freshness import Source
from pycache_guard.bytecode.header import InvalidHeader
from pycache_guard.bytecode.marshal_scalars import MarshalError
from pycache_guard.bytecode.pyc import Pyc, UnsupportedFormat, read_pyc
from pycache_guard.bytecode.stores import FoundSource
from pycache_guard.inspection.diff import compare_files, diff_to_text
from pycache_guard.inspection.leaks import find_leaks, leaks_to_text
from pycache_guard.inspection.source_text import squeeze
from pycache_guard.inspection.strings import collect_strings, find_strings, write_lines
from pycache_guard.interpreters.pool import CompilerPool
from pycache_guard.report.escape import escape_unprintable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pycache_guard.bytecode.magic import Magic
    from pycache_guard.interpreters.process import CompilerProcess

#: Stands between the parts of an input.
MARK = b"\0--\0"
TOKENS = (
    *TYPES,
    MARK,
    b"\n",
    b'"',
    b"'''",
    b"\\x41",
    b"# -*- coding: latin-1 -*-\n",
    b"\xed\xa0\x80",
)


def list_strings(data: bytes) -> str:
    """Hold the fast reading of strings to the tree of code."""
    listed = collect_strings(data, None)
    lines = write_lines(listed)
    assert all(line.isprintable() for line in lines)
    pyc = readable(data)
    if pyc is None:
        return "no code"
    dialect = marshal_format(pyc.header.magic)
    assert dialect is not None
    errors = "surrogateescape" if dialect.str_is_bytes else "surrogatepass"
    values = [string.value for string in find_strings(pyc.code, pyc.header.magic)]
    texts = {
        v if isinstance(v, bytes) else v.encode("utf-8", errors)
        for v in values
        if not isinstance(v, int)
    }
    numbers = {value for value in values if isinstance(value, int)}
    if pyc.trailing_bytes:
        assert texts - {b""} <= listed.strings.keys()
        return "more than code"
    assert listed.problem == ""
    assert texts - {b""} == listed.strings.keys()
    assert numbers == listed.numbers.keys()
    return "code"


class NoCompilers(CompilerPool):
    """No interpreter: what a compiler is given is not what is tried here."""

    def for_magic(self, magic: Magic, tag: str) -> Iterator[CompilerProcess]:
        """Return nothing."""
        return iter(())


def list_leaks(data: bytes) -> str:
    """Compare a file with any source; the two are separated by `MARK`."""
    content, _, source = data.partition(MARK)
    try:
        pyc = read_pyc(content)
    except InvalidHeader:
        return "no header"
    found = FoundSource("m.py", Source(len(source), None, lambda: source))
    leaks = find_leaks(pyc, None, found, NoCompilers())
    assert leaks.method == "text"
    one_line_each(leaks_to_text(leaks, "m.py", 1000))
    everything = find_leaks(pyc, None, None, NoCompilers())
    texts = {string.text for string in leaks.strings}
    assert texts <= {string.text for string in everything.strings}
    if source.isascii() and b'"' not in source and b"'" not in source:
        plain = squeeze(source.decode("ascii"))
        for string in everything.strings:
            if len(string.text) > 20 and string.text.isalpha() and string.text.isascii():
                is_repeated = string.text in (string.text * 2)[1:-1]
                assert is_repeated or (string.text in texts) is (string.text not in plain)
    return "leaks" if texts else "nothing"


def compare(data: bytes) -> str:
    """Compare two files, which are separated by `MARK`."""
    parts = [readable(part) for part in data.split(MARK)]
    if len(parts) != 2 or parts[0] is None or parts[1] is None:
        return "no code"
    old, new = parts[0], parts[1]
    diff = compare_files(old, new)
    one_line_each(diff_to_text("a", "b", diff, 1000))
    assert diff.is_same is compare_files(new, old).is_same
    assert diff.is_same or diff.changes
    assert compare_files(old, old).is_same
    if diff.is_same:
        assert constants(old) == constants(new)
    return "same" if diff.is_same else "different"


def constants(pyc: Pyc) -> set[tuple[str, str]]:
    """Return names and constants without file names and numbers, which can be those of lines."""
    found = find_strings(pyc.code, pyc.header.magic)
    return {(s.kind, s.text) for s in found if s.kind not in ("file name", "number")}


def one_line_each(lines: Iterable[str]) -> None:
    """Check that lines stay lines when they are printed."""
    assert all(escape_unprintable(line).isprintable() for line in lines)


def readable(data: bytes) -> Pyc | None:
    """Return a file whose code can be read."""
    try:
        pyc = read_pyc(data)
        _ = pyc.code
    except (InvalidHeader, MarshalError, UnsupportedFormat):
        return None
    return pyc


def pairs() -> list[bytes]:
    """Return each file with itself, with other words in it, and with the next one."""
    files = corpus.bytecode()
    twice = [file + MARK + file for file in files]
    twice += [file + MARK + file.replace(b"docstring", b"DOCSTRING") for file in files]
    return sorted([*twice, *(a + MARK + b for a, b in pairwise(files))], key=len)


def sources() -> list[bytes]:
    """Return each file with a source."""
    return [file + MARK + b"def plain(a, b): return 'text'\n" for file in corpus.bytecode()]


TARGETS = {
    "strings": Target(list_strings, corpus.bytecode, TOKENS),
    "leaks": Target(list_leaks, sources, TOKENS),
    "diff": Target(compare, pairs, TOKENS),
}
