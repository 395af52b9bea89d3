"""What can be found, and a finding."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

#: Where the pages of the documentation are: an address that stays.
DOCS_URL = "https://github.com/pycache-guard/pycache-guard/blob/main/docs"


class Rule(Enum):
    """Every rule: the member's name is its stable code, the value its name for people."""

    @property
    def docs_url(self) -> str:
        """Return the address of the page that explains it."""
        return f"{DOCS_URL}/rules/{self.name}.md"

    PYC001 = "bytecode-path"
    PYC002 = "bytecode-content"
    PYC003 = "unused-allow"
    PYC101 = "not-ignored"
    PYC102 = "re-included"
    PYC103 = "inert-ignore-file"
    PYC104 = "inert-pattern"
    PYC201 = "stale"
    PYC202 = "mismatch"
    PYC203 = "unchecked-hash"
    PYC204 = "sourceless"
    PYC205 = "unverifiable"
    PYC206 = "malformed"
    PYC207 = "wrong-tag"
    PYC301 = "docker-context"
    PYC311 = "distribution"
    PYC401 = "skipped-header"
    PYC402 = "unmarshalled-code"
    PYC403 = "sourceless-loader"
    PYC404 = "bytecode-import"
    PYC405 = "bytecode-process"
    PYC411 = "unchecked-hash-mode"
    PYC412 = "sourceless-output"
    PYC413 = "unheeded-compilation"
    PYC414 = "kept-mode"
    PYC421 = "global-switch"
    PYC422 = "late-environment"
    PYC431 = "handmade-cache-path"
    PYC432 = "cache-deletion"
    PYC433 = "removed-interface"
    PYC434 = "source-by-suffix"
    PYC435 = "unguarded-reverse"
    PYC436 = "cached-attribute"
    PYC501 = "not-removed"
    PYC601 = "cache-refused"
    PYC602 = "cache-misdirected"
    PYC603 = "orphaned-cache"
    PYC604 = "unguarded"


class Finding(NamedTuple):
    """One thing that is wrong, where, and the command that mends it.

    Sorting a list of findings gives the order in which they are told: `path` comes first, so
    a file's findings stand together.
    """

    #: Relative to the top of the repository, `/` between parts, decoded with `os.fsdecode`; `None`
    #: where no file is to blame.
    path: str | None
    rule: Rule
    message: str
    #: The command that fixes it, or `None` where none does.
    fix: str | None = None
    #: 1-based.
    line: int | None = None
    #: 1-based, in characters.
    column: int | None = None
    end_line: int | None = None
    #: 1-based, the first character behind.
    end_column: int | None = None
    commit: str | None = None
    blob: str | None = None
    #: Bytes of the blob.
    size: int | None = None
    #: Commits that bring the same in.
    commit_count: int | None = None
    #: A tracked file that nothing here untracks: it is in `__pycache__`, and is not bytecode.
    is_kept: bool = False
    #: Place of the commit in the order of history, the oldest first.
    rank: int = 0
    #: What to do in words, without a full stop, where no command does it.
    hint: str | None = None
    #: The program has fixed it in this run; `remedy` is what is left to do.
    is_fixed: bool = False

    @property
    def instruction(self) -> str | None:
        """Return the command or the sentence that says what to do."""
        return self.fix or self.hint


def sort_findings(findings: list[Finding]) -> list[Finding]:
    """Sort findings by commit, place, then code: the order of every report."""
    return sorted(
        findings,
        key=lambda f: (
            f.rank,
            f.path or "",
            f.line or 0,
            f.column or 0,
            f.rule.name,
            f.commit or "",
            f.message,
        ),
    )
