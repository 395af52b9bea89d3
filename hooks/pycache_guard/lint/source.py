"""From the bytes of a source file to its text and syntax tree."""

from __future__ import annotations

import ast
import io
import symtable
import sys
import tokenize
import warnings

from pycache_guard.errors import Failure

#: Which Python refuses a source: newer syntax is the likeliest reason.
REFUSED = "cannot be parsed by Python {}.{}".format(*sys.version_info)
NEWER = "newer code needs a newer Python (pre-commit: `language_version`)"


class Unparsable(Failure):
    """A source that this Python cannot read or parse."""


def decode_source(data: bytes, path: str) -> str:
    """Return the text, by byte order mark and encoding cookie (PEP 263), else as UTF-8.

    `path` is for messages. Raises `Unparsable`.
    """
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return data.decode(encoding)
    except (LookupError, SyntaxError, UnicodeError) as error:
        raise Unparsable(f"{path}: cannot be decoded: {error_message(error)}") from None


def parse_source(text: str, path: str) -> ast.Module:
    """Return the syntax tree of `text`; nothing of it is run.

    Raises `Unparsable` also for what is nested too deeply for the parser, which says so by
    `MemoryError` (3.10) or `RecursionError`, and for a NUL (`ValueError` before 3.12).
    """
    try:
        with warnings.catch_warnings():
            # Of the source, not of ours: `"\d"` and the like.
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        place = path if error.lineno is None else f"{path}:{error.lineno}"
        raise Unparsable(f"{place}: {REFUSED}: {error.msg}; {NEWER}") from None
    except (MemoryError, RecursionError):
        raise Unparsable(f"{path}: {REFUSED}: it is nested too deeply") from None
    except ValueError as error:
        raise Unparsable(f"{path}: {REFUSED}: {error_message(error)}") from None


def check_syntax(text: str, path: str) -> None:
    """Raise `Unparsable` for a text that this Python cannot parse.

    `symtable` parses as `ast.parse` does and makes no tree, in two thirds of the time. It also
    refuses what only the compiler refuses, for instance `nonlocal` in a module: `parse_source` decides.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            symtable.symtable(text, path, "exec")
    except (MemoryError, RecursionError, SyntaxError, ValueError):
        parse_source(text, path)


def error_message(error: Exception) -> str:
    """Return the message of a syntax error without its place, and of any other whole."""
    return error.msg if isinstance(error, SyntaxError) else str(error)


def lines_of(text: str) -> list[str]:
    r"""Split as the parser counts lines, each end made `\n`: form feeds and the like end none."""
    return io.StringIO(text, newline=None).readlines()
