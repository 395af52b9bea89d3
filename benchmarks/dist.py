"""`check-dist`: a wheel of 10 000 members."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from benchmarks.measure import Figure, compare

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PEERS = ()

SOURCE = "import os\n\n\ndef function() -> int:\n    return {number}\n" * 20


def figures(scripts: Path, work: Path) -> Iterator[Figure]:
    """Measure against listing the same wheel, and a bare start."""
    guard, python = str(scripts / "pycache-guard"), str(scripts / "python")
    wheel = work / "large-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as file:
        for number in range(10_000):
            name = f"package/part_{number % 100:03}/module_{number:05}.py"
            file.writestr(name, SOURCE.format(number=number))
    listing = [[python, "-m", "zipfile", "-l", str(wheel)], [python, "-I", "-c", "pass"]]
    yield compare(
        "check-dist, a wheel of 10 000 members",
        [[guard, "check-dist", str(wheel)]],
        "python -m zipfile -l, + bare interpreter",
        listing,
        1.2,
        cwd=work,
        rounds=9,
    )
