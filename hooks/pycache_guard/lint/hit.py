"""What a rule has found, before it knows files and lines."""

from __future__ import annotations

import ast
from typing import NamedTuple


class Hit(NamedTuple):
    """A node and what is wrong with it."""

    node: ast.expr | ast.stmt
    message: str
