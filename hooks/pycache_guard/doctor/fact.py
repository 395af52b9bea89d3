"""The parts of the `doctor` report: facts, findings and failures."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycache_guard.findings import Finding


class Fact(NamedTuple):
    """One fact, with an explanation."""

    topic: str
    name: str
    #: In words.
    value: str
    #: Whole sentences; empty if there is nothing to explain.
    explanation: str
    #: The value for programs, as JSON types.
    data: object

    def to_dict(self) -> dict[str, object]:
        """Return the JSON object of this fact; the explanation has the key `lesson`."""
        fields = self._asdict()
        return {"lesson" if key == "explanation" else key: fields[key] for key in fields}


class DoctorReport(NamedTuple):
    """Facts, problems and failures."""

    facts: list[Fact]
    findings: list[Finding]
    #: The parts that could not be examined, each as an error message.
    failures: Sequence[str] = ()


def merge(parts: list[DoctorReport]) -> DoctorReport:
    """Return one report with the content of several."""
    return DoctorReport(
        [fact for part in parts for fact in part.facts],
        [finding for part in parts for finding in part.findings],
        [failure for part in parts for failure in part.failures],
    )
