"""A whole bytecode file: its header, and its code, which is read on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.bytecode import magic as magics
from pycache_guard.bytecode.code_object import marshal_format
from pycache_guard.bytecode.header import InvalidHeader, parse_header
from pycache_guard.bytecode.line_tables import find_table_problem
from pycache_guard.bytecode.marshal_scalars import MarshalError
from pycache_guard.bytecode.tampering import code_objects
from pycache_guard.bytecode.unmarshal import read_code

if TYPE_CHECKING:
    from pycache_guard.bytecode.cache_names import CacheName
    from pycache_guard.bytecode.code_object import Code
    from pycache_guard.bytecode.header import Header


class UnsupportedFormat(ValueError):
    """The format of the code is unknown."""


class Pyc:
    """A bytecode file. Its code is never run and never becomes a code object of this interpreter."""

    def __init__(self, data: bytes, name: CacheName | None = None) -> None:
        #: The whole file.
        self.data = data
        #: Magic, flags, and what connects the file with its source.
        self.header: Header = parse_header(data, name)
        self._has_foreign_code = name is not None and name.has_foreign_code
        self._read: tuple[Code, int] | None = None

    @property
    def code(self) -> Code:
        """The tree of code as inert values, read at the first access.

        Raises `MarshalError` for bytes that no interpreter writes, `UnsupportedFormat` if the format is
        unknown.
        """
        return self._tree()[0]

    @property
    def trailing_bytes(self) -> int:
        """The number of bytes after the code. Python ignores them; no interpreter writes any."""
        return len(self.data) - self._tree()[1]

    def read_again(self) -> Code:
        """Return a tree of its own, which the caller may change. Raises what `code` raises."""
        return self._read_tree()[0]

    def _tree(self) -> tuple[Code, int]:
        if self._read is None:
            self._read = self._read_tree()
        return self._read

    def _read_tree(self) -> tuple[Code, int]:
        magic = self.header.magic
        dialect = None if self._has_foreign_code else marshal_format(magic)
        if dialect is None:
            raise UnsupportedFormat(
                f"the code of {magic.implementation} {magic.version} is unreadable: "
                f"how magic number {magic.number} lays it out is not known"
            )
        return read_code(self.data, magic.header_length, dialect)


def read_pyc(data: bytes, name: CacheName | None = None) -> Pyc:
    """Read a bytecode file without trusting it. Raises `InvalidHeader`.

    `name` is the result of `cache_names.parse_cache_name`, if known: early versions of pytest wrote a
    header of their own.
    """
    return Pyc(data, name)


class ImportProblem(NamedTuple):
    """Why an import that uses the file fails."""

    #: The exception that import raises, or empty where the interpreter may crash.
    exception: str
    #: The problem of the code, with its offset.
    reason: str

    @property
    def message(self) -> str:
        """What happens, to follow the name of the file: `import fails with EOFError (…)`."""
        how = (
            f"fails with {self.exception}" if self.exception else "fails or crashes the interpreter"
        )
        return f"import {how} ({self.reason})"


#: What a reason of `MarshalError` begins with, and the exception that CPython's `r_object`
#: (`Python/marshal.c`) and `_PyCode_Validate` (`Objects/codeobject.c`) raise for it. A reference to a
#: tuple in itself crashes Python 3.7 to 3.15 (python/cpython#148653). Reasons that are not here
#: are those of files that an interpreter may load, although none writes them.
_EXCEPTIONS = (
    ("marshal data too short", "EOFError"),
    ("non-code object", "ImportError"),
    ("NULL object in marshal data for dict", None),
    ("NULL object in marshal data for frozendict", None),
    ("NULL object", "TypeError"),
    ("bad marshal data (not UTF-8)", "UnicodeDecodeError"),
    ("bad marshal data", "ValueError"),
    ("recursion limit exceeded", "ValueError"),
    ("bad code object (negative flags", None),
    ("bad code object (negative stacksize", None),
    ("bad code object (more arguments", "ValueError"),
    ("bad code object (half an instruction", "ValueError"),
    # PyPy refuses it, CPython loads it.
    ("bad code object (NUL in filename", None),
    ("bad code object", "SystemError"),
    ("reference to the tuple", ""),
    ("reference to the code", "ValueError"),
    ("reference to the frozenset", "ValueError"),
    ("reference to the frozendict", "ValueError"),
    ("reference to the slice", "ValueError"),
)


def find_import_problem(pyc: Pyc) -> ImportProblem | None:
    """Return why import fails although the header is right, None if it does not fail.

    Returns None for an unknown format too. Bytes after the code do not matter, because import
    ignores them. Reads the whole code.
    """
    try:
        _ = pyc.code
    except MarshalError as error:
        for start, exception in _EXCEPTIONS:
            if error.reason.startswith(start):
                return None if exception is None else ImportProblem(exception, str(error))
    except UnsupportedFormat:
        pass
    return None


def describe_damage(data: bytes, name: CacheName | None = None) -> str:
    """Return how the cache file `data` is damaged, empty if it is not.

    A damaged cache may be removed. It is empty, contains only zero bytes, ends within the header, or
    import fails on its code, because its writer or the file system did not finish it. `name` is the
    result of `cache_names.parse_cache_name`. A file without a known magic number is not called
    damaged: it may belong to a newer Python, or may not be bytecode.
    """
    if not data.strip(b"\0"):
        return "it contains only zero bytes" if data else "it is empty"
    if len(data) < magics.LENGTH:
        return "it ends within the magic number"
    try:
        pyc = read_pyc(data, name)
    except InvalidHeader as error:
        is_cut_off = magics.identify_magic(data) is not None and str(error).startswith(
            "reached EOF"
        )
        return "it ends within the header" if is_cut_off else ""
    problem = find_import_problem(pyc)
    return problem.message if problem else ""


def is_broken(data: bytes, name: CacheName | None = None) -> bool:
    """Return whether `describe_damage` finds damage."""
    return bool(describe_damage(data, name))


def code_problem(pyc: Pyc) -> str:
    """Return the problem of the code, empty if there is none or the format is unknown. Reads the code."""
    try:
        surplus = pyc.trailing_bytes
    except MarshalError as error:
        return str(error)
    except UnsupportedFormat:
        return ""
    return f"{surplus} bytes after the code" if surplus else ""


def table_problem(pyc: Pyc) -> str:
    """Return the problem of the line tables and exception tables of well-formed code.

    Empty if there is none, or the format is not known.
    """
    if marshal_format(pyc.header.magic) is None:
        return ""
    for code in code_objects(pyc.code):
        problem = find_table_problem(code, pyc.header.magic)
        if problem:
            return problem
    return ""


def header_problem(header: Header) -> str:
    """Return the problem of a header that Python accepts and never writes, empty if there is none."""
    if header.has_unwritten_flags:
        return f"flags {header.flags}, which Python reads as 0 and never writes"
    return ""
