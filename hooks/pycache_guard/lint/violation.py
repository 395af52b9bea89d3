"""What a rule has found, before it knows files and lines."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

if TYPE_CHECKING:
    import ast


class Violation(NamedTuple):
    """A node and what is wrong with it."""

    node: ast.expr | ast.stmt
    message: str
