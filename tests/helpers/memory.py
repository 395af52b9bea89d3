"""Measure how much memory a piece of code takes."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextlib.contextmanager
def trace_memory() -> Iterator[Callable[[], int]]:
    """Trace allocations; yield a function that returns their largest sum in bytes.

    Skips the test on PyPy, which traces none.
    """
    tracemalloc = pytest.importorskip("tracemalloc", reason="PyPy has no tracemalloc")
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
