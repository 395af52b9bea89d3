"""What the doctor says."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.findings import Finding


class Fact(NamedTuple):
    """One fact, with a sentence that teaches."""

    topic: str
    name: str
    #: For people.
    value: str
    #: Empty where there is nothing to explain.
    explanation: str
    #: For programs: what JSON can hold.
    data: object


class DoctorReport(NamedTuple):
    """Facts, and what is wrong."""

    facts: list[Fact]
    findings: list[Finding]
    #: What could not be examined.
    failures: Sequence[str] = ()


def merge(parts: list[DoctorReport]) -> DoctorReport:
    """Return one diagnosis of several."""
    return DoctorReport(
        [fact for part in parts for fact in part.facts],
        [finding for part in parts for finding in part.findings],
        [failure for part in parts for failure in part.failures],
    )
