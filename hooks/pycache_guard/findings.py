"""The rules, and findings of them."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

#: Permanent address of the documentation.
DOCS_URL = "https://github.com/pycache-guard/pycache-guard/blob/main/docs"


class Rule(Enum):
    """Every rule: `name` is its stable code, `value` its name for people.

    `summary` is one sentence, the first of the page in docs/rules/. The lint rules (PYC4xx) are here
    too, and not only beside their checks in `lint/rules/`: an enumeration has all its members in one
    place, reports list every rule, and importing this must not import the linter.
    """

    _value_: str
    summary: str

    def __new__(cls, title: str, summary: str) -> Rule:  # noqa: PYI034 - Self needs Python 3.11
        """Return a member whose value is `title`."""
        member = object.__new__(cls)
        member._value_ = title
        member.summary = summary
        return member

    @property
    def docs_url(self) -> str:
        """Return the address of its page in the documentation."""
        return f"{DOCS_URL}/rules/{self.name}.md"

    PYC001 = "bytecode-path", "Bytecode file is tracked."
    PYC002 = "bytecode-content", "File contains bytecode under a different name."
    PYC003 = "unused-allow", "An allow entry matches nothing."
    PYC101 = "not-ignored", "No tracked rule ignores bytecode here."
    PYC102 = "re-included", "A rule re-includes bytecode."
    PYC103 = "inert-ignore-file", "Git does not honour this ignore file for others."
    PYC104 = "inert-pattern", "A line meant for bytecode cannot match."
    PYC201 = "stale", "The source has changed since the bytecode was made."
    PYC202 = "mismatch", "Python would run it, but its source compiles to different code."
    PYC203 = "unchecked-hash", "Python would run it without checking the source."
    PYC204 = "sourceless", "Bytecode without source can be imported."
    PYC205 = "unverifiable", "It could not be compared; the message says why."
    PYC206 = "malformed", "File is not a well-formed `.pyc`."
    PYC207 = "wrong-tag", "Tag in the name and magic number belong to different interpreters."
    PYC301 = "docker-context", "Bytecode would be sent to the Docker daemon."
    PYC311 = "distribution", "An archive ships bytecode."
    PYC321 = "never-used", "Bytecode in a bundle that the target Python ignores."
    PYC322 = "missing-bytecode", "Source in a bundle without bytecode for the target Python."
    PYC323 = "mixed-bytecode", "Bytecode in a bundle is for another Python than the target."
    PYC324 = "rewritten-at-run-time", "Python would write bytecode into the bundle when it runs."
    PYC401 = (
        "skipped-header",
        "`.pyc` header is skipped without checking the magic number before `marshal.loads`.",
    )
    PYC402 = "unmarshalled-code", "Code loaded with `marshal` is executed."
    PYC403 = "sourceless-loader", "Loader runs bytecode without source."
    PYC404 = "bytecode-import", "Bytecode is imported by its path."
    PYC405 = "bytecode-process", "Python is started with a bytecode file as its script."
    PYC411 = "unchecked-hash-mode", "Bytecode is written or run without ever checking its source."
    PYC412 = "sourceless-output", "Bytecode is written to a place where it can replace its source."
    PYC413 = "unheeded-compilation", "Compilation errors are ignored."
    PYC414 = (
        "kept-mode",
        "`compileall` gets an invalidation mode but keeps existing files in their old mode.",
    )
    PYC421 = "global-switch", "Importing a module changes how the whole process treats bytecode."
    PYC422 = "late-environment", "Environment variable is set after the interpreter has read it."
    PYC431 = "handmade-cache-path", "A path in `__pycache__` is built by hand."
    PYC432 = "cache-deletion", "A program deletes bytecode while it runs."
    PYC433 = "removed-interface", "Bytecode interface was removed in newer Python versions."
    PYC434 = "source-by-suffix", "Source path is guessed from the bytecode path."
    PYC435 = (
        "unguarded-reverse",
        "`source_from_cache` is called without a handler for `ValueError`.",
    )
    PYC436 = "cached-attribute", "`__cached__` was removed."
    PYC501 = "not-removed", "`clean` could not remove a cache or read a directory."
    PYC601 = "cache-refused", "Python cannot write a cache, or another user can write one."
    PYC602 = "cache-misdirected", "`PYTHONPYCACHEPREFIX` points to an unsuitable directory."
    PYC603 = "orphaned-cache", "Caches are left over from sources that no longer exist."
    PYC604 = "unguarded", "No hook refuses bytecode in the next commit."


class Finding(NamedTuple):
    """One problem: the rule, the place, the message, and the command that fixes it.

    `sort_findings` gives the order of the reports.
    """

    #: Path relative to the top of the repository, with `/` between its parts, decoded with
    #: `os.fsdecode`. None if the finding is not about a file.
    path: str | None
    rule: Rule
    message: str
    #: The command that fixes it. None if no command does.
    fix: str | None = None
    #: 1-based.
    line: int | None = None
    #: 1-based, in characters.
    column: int | None = None
    end_line: int | None = None
    #: 1-based, the first character after the place.
    end_column: int | None = None
    commit: str | None = None
    blob: str | None = None
    #: Bytes of the blob.
    size: int | None = None
    #: Number of commits that bring in the same blob at the same path.
    commit_count: int | None = None
    #: A tracked file in `__pycache__` that is not bytecode. No command untracks it.
    is_kept: bool = False
    #: Position of the commit in history; the oldest commit has 0.
    rank: int = 0
    #: What to do, in words without a full stop: instead of a command, or after it.
    hint: str | None = None
    #: Whether this run has fixed it. `fix` and `hint` then contain what is left to do.
    is_fixed: bool = False

    @property
    def instruction(self) -> str | None:
        """Return `fix`, or `hint` if there is no command."""
        return self.fix or self.hint


def sort_findings(findings: list[Finding]) -> list[Finding]:
    """Return findings in the order of every report: by commit, place, code."""
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
