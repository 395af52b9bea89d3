"""A bytecode file as a whole: its header, and its code when it is asked for."""

from __future__ import annotations

from pycache_guard.bytecode.code_layouts import dialect_of
from pycache_guard.bytecode.header import parse_header
from pycache_guard.bytecode.marshal_leaves import MarshalError
from pycache_guard.bytecode.marshal_reader import read_code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pycache_guard.bytecode.code_tree import Code
    from pycache_guard.bytecode.header import Header


class UnknownFormat(ValueError):
    """The code is not marshalled in a way that we know."""


class Pyc:
    """A bytecode file; nothing of it is ever run, or made a code object of this interpreter."""

    def __init__(self, data: bytes) -> None:
        #: The whole file.
        self.data = data
        #: `header.Header`: magic, flags, and what ties the file to its source.
        self.header: Header = parse_header(data)
        self._read: tuple[Code, int] | None = None

    @property
    def code(self) -> Code:
        """The tree of code, read when it is first asked for: inert values alone.

        Raises `MarshalError` for bytes that no interpreter writes, `UnknownFormat` where we do not
        know how they are to be read.
        """
        return self._tree()[0]

    @property
    def surplus(self) -> int:
        """How many bytes stand behind the code. Python ignores them; no interpreter writes any."""
        return len(self.data) - self._tree()[1]

    def _tree(self) -> tuple[Code, int]:
        if self._read is None:
            magic = self.header.magic
            dialect = dialect_of(magic)
            if dialect is None:
                raise UnknownFormat(
                    f"the code of {magic.implementation} {magic.version} is unreadable: "
                    f"how magic number {magic.number} lays it out is not known"
                )
            self._read = read_code(self.data, magic.header_length, dialect)
        return self._read


def read_pyc(data: bytes) -> Pyc:
    """Read a bytecode file without trusting it. Raises `InvalidHeader`."""
    return Pyc(data)


def code_flaw(pyc: Pyc) -> str:
    """Say what is wrong with the code, which is read; nothing for nothing, or an unknown format."""
    try:
        surplus = pyc.surplus
    except MarshalError as error:
        return str(error)
    except UnknownFormat:
        return ""
    return f"{surplus} bytes behind the code" if surplus else ""


def header_flaw(header: Header) -> str:
    """Say what no interpreter writes, though Python takes it; nothing for nothing."""
    if header.is_abnormal:
        return f"flags {header.flags}, which Python takes for 0 and never writes"
    return ""
