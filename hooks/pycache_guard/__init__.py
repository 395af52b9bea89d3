"""Keep Python bytecode out of places where it does not belong."""

from __future__ import annotations

__version__ = "0.1.0"
