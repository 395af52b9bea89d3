"""Whether two marshalled code objects say the same, object by object, references aside.

Before CPython 3.11 the same code is marshalled differently from run to run: which texts are interned
and which objects may be referred to depends on what else the process holds. Walking both at once and
building nothing is several times as fast as reading two trees to compare them.
"""

from __future__ import annotations

from pycache_guard.bytecode.code_layouts import Dialect

#: marshal's types by what follows them: bytes of a fixed number, or a length of so many bytes.
_FIXED = {**dict.fromkeys(b"NFTS.", 0), **dict.fromkeys(b"iIgy", 8), ord("i"): 4, ord("y"): 16}
_COUNTED = {ord("("): 4, ord(")"): 1, ord("["): 4, ord("<"): 4, ord(">"): 4}
#: Texts also by how their bytes are read; interned or not is all the same.
_TEXTS = {
    ord("s"): (4, b"bytes "),
    **dict.fromkeys(b"ut", (4, b"utf-8 ")),
    **dict.fromkeys(b"aA", (4, b"ascii ")),
    **dict.fromkeys(b"zZ", (1, b"ascii ")),
}
_SINGLETONS = b"NFTS."
_CODE, _LONG, _REFERENCE, _SLICE = b"clr:"

#: What stands at a place of one side: the bytes of a text, or an object by its number.
_Object = bytes | int


def same_in_step(expected: bytes, found: bytes, start: int, name: bytes, dialect: Dialect) -> bool:
    """Compare `expected` with `found` from `start` on, where `name` in `expected` may be any text.

    `expected` must be well-formed, and `name` as for `renaming.same_but_for_name`. No means that trees
    must be read, and perhaps are the same: sets in another order, one object in the place of two.
    """
    if dialect.texts_are_bytes or not dialect.has_flag_ref:
        return False
    try:
        return _Walk(_Side(expected, 0), _Side(found, start), name, dialect).run()
    except IndexError:  # one of them is too short, or refers to nothing
        return False


def is_file_name(value: _Object | None) -> bool:
    """Whether a text is one that may name a file: `str`, and decodable as its type says."""
    if not isinstance(value, bytes) or value.startswith(b"bytes "):
        return False
    try:
        value[len(b"utf-8 ") :].decode("latin-1" if value[:1] == b"a" else "utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


class _Side:
    """A place in one of the two."""

    __slots__ = ("data", "offset", "slots")

    def __init__(self, data: bytes, offset: int) -> None:
        self.data = data
        self.offset = offset
        #: What references may refer to.
        self.slots: list[_Object] = []

    def take(self, length: int) -> bytes:
        """Read so many bytes. Raises `IndexError` where there are fewer."""
        start = self.offset
        self.offset = end = start + length
        if end > len(self.data):
            raise IndexError
        return self.data[start:end]

    def text_or_reference(self, byte: int) -> _Object | None:
        """Read the text, or what the reference refers to, whose type is `byte`; `None` for others."""
        kind = byte & 0x7F
        if kind == _REFERENCE:
            return self.slots[int.from_bytes(self.take(4), "little")]
        if kind not in _TEXTS:
            return None
        width, encoding = _TEXTS[kind]
        text = encoding + self.take(int.from_bytes(self.take(width), "little"))
        if byte != kind:
            self.slots.append(text)
        return text


class _Walk:
    def __init__(self, ours: _Side, theirs: _Side, name: bytes, dialect: Dialect) -> None:
        self._ours = ours
        self._theirs = theirs
        self._name = b"ascii " + name
        layout = dialect.layout
        self._integers = 4 * len(layout.integers)
        #: How many objects stand before and behind the first line of a code object.
        self._before, self._behind = len(layout.objects), len(layout.tail)
        #: How many objects are still to come, of those that are open; negative before a first line.
        self._missing: list[int] = []

    def run(self) -> bool:
        """Walk both to their ends."""
        ours, theirs = self._ours, self._theirs
        number = 0
        while True:
            number += 1
            if not self._next(number):
                return False
            while self._missing and self._missing[-1] == 0:
                self._missing.pop()
            if not self._missing:
                return ours.offset == len(ours.data) and theirs.offset == len(theirs.data)
            if not self._count():
                return False

    def _count(self) -> bool:
        """Count an object of the innermost open one; between a code object's there is a number."""
        missing = self._missing
        if missing[-1] > 0:
            missing[-1] -= 1
            return True
        missing[-1] += 1
        if missing[-1] < 0:
            return True
        missing[-1] = self._behind - 1
        return self._ours.take(4) == self._theirs.take(4)

    def _next(self, number: int) -> bool:
        """Compare one object, or the head of one."""
        ours, theirs = self._ours, self._theirs
        byte, other = ours.data[ours.offset], theirs.data[theirs.offset]
        ours.offset += 1
        theirs.offset += 1
        value, its = ours.text_or_reference(byte), theirs.text_or_reference(other)
        if value is not None or its is not None:
            return value == its or (value == self._name and is_file_name(its))
        kind = byte & 0x7F
        if kind != other & 0x7F:
            return False
        if kind not in _SINGLETONS:
            if byte != kind:
                ours.slots.append(number)
            if other != kind:
                theirs.slots.append(number)
        return self._head(kind)

    def _head(self, kind: int) -> bool:
        """Compare what follows the type of an object that is no text."""
        ours, theirs = self._ours, self._theirs
        if kind in _FIXED:
            return ours.take(_FIXED[kind]) == theirs.take(_FIXED[kind])
        if kind == _CODE:
            self._missing.append(-self._before - 1)
            return ours.take(self._integers) == theirs.take(self._integers)
        if kind == _LONG:
            head = ours.take(4)
            length = 2 * abs(int.from_bytes(head, "little", signed=True))
            return head == theirs.take(4) and ours.take(length) == theirs.take(length)
        if kind == _SLICE:
            self._missing.append(3)
            return True
        if kind not in _COUNTED:
            return False
        head = ours.take(_COUNTED[kind])
        self._missing.append(int.from_bytes(head, "little"))
        return head == theirs.take(_COUNTED[kind])
