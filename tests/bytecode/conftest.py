from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="session")
def foreign_pyc() -> Callable[[str], bytes]:
    """Give what the interpreter of a tag made of one and the same small source, `basic.py`."""

    def read(tag: str) -> bytes:
        return base64.b85decode((FIXTURES / f"{tag}.txt").read_text("ascii").replace("\n", ""))

    return read
