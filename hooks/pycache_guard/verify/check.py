"""Check every bytecode file of a store: its name, its header, and the result of a comparison."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from pycache_guard.bytecode.cache_names import (
    is_compiled_by_hook,
    parse_cache_name,
    tag_fits,
    writes_other_code,
)
from pycache_guard.bytecode.code_object import marshal_format
from pycache_guard.bytecode.contents import describe_content
from pycache_guard.bytecode.freshness import (
    Freshness,
    FreshnessResult,
    check_freshness,
    is_pre_pep3147,
)
from pycache_guard.bytecode.header import InvalidHeader, SourceHash, Timestamp, parse_header
from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.bytecode.magic_numbers import CRLF
from pycache_guard.bytecode.pyc import code_problem, header_problem, read_pyc, table_problem
from pycache_guard.bytecode.sniff import is_lfs_pointer
from pycache_guard.bytecode.source_hash import source_hash
from pycache_guard.bytecode.tampering import file_names, find_forged_instructions
from pycache_guard.errors import Failure
from pycache_guard.findings import Finding, Rule
from pycache_guard.remedies import shell_quote
from pycache_guard.verify.compare import Comparer, ComparisonResult, Target, describe_difference
from pycache_guard.verify.stores import is_pickle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.bytecode.cache_names import CacheName
    from pycache_guard.bytecode.header import Header
    from pycache_guard.bytecode.magic import Magic
    from pycache_guard.bytecode.pyc import Pyc
    from pycache_guard.bytecode.stores import BytecodeStore, FoundSource
    from pycache_guard.interpreters.pool import CompilerPool


class VerifyResult:
    """The findings of a run, and its counts."""

    def __init__(self, store: BytecodeStore) -> None:
        self.findings: list[Finding] = []
        #: What could not be read, each with its path.
        self.failures: list[str] = store.failures
        #: Sentences about what the store did not check.
        self.notes: list[str] = store.notes
        #: The number of files that could be read.
        self.checked = 0
        #: The number of files that are exactly what their sources compile to.
        self.verified = 0
        #: By compiler, the files whose line tables alone differ from those of the compiler.
        self.lines_differ: dict[str, list[str]] = {}
        #: By compiler, the files that execute the same instructions and store them in another order.
        self.layout_differs: dict[str, list[str]] = {}
        #: The optimization level of verified files whose names do not state it, if it is not 0.
        self.levels: dict[str, int] = {}


def verify(store: BytecodeStore, compilers: CompilerPool) -> VerifyResult:
    """Compare every file of `store` with its source."""
    result = VerifyResult(store)
    compared = Comparer(store, compilers).compare_all(iter_targets(store, result))
    # A signal can arrive here: then the compilers end.
    with contextlib.closing(compared):
        for target in compared:
            try:
                findings = FileCheck(target.path, store).check_comparison(target)
            except Failure as failure:
                store.failures.append(str(failure))
                continue
            result.checked += 1
            result.findings += findings
            if findings:
                continue
            comparison = target.comparison
            if comparison.result is ComparisonResult.LINES_DIFFER:
                result.lines_differ.setdefault(comparison.compiler, []).append(target.path)
            elif comparison.result is ComparisonResult.LAYOUT_DIFFERS:
                result.layout_differs.setdefault(comparison.compiler, []).append(target.path)
            else:
                result.verified += 1
            if target.is_level_open() and comparison.level:
                result.levels[target.path] = comparison.level
    result.failures = sorted(set(store.failures))
    return result


def iter_targets(store: BytecodeStore, result: VerifyResult) -> Iterator[Target]:
    """Yield the files to compare. Findings that need no comparison go into `result`."""
    for path in store.paths():
        try:
            findings, target = FileCheck(path, store).check_header()
        except Failure as failure:
            store.failures.append(str(failure))
            continue
        result.findings += findings
        if target is None:
            result.checked += 1
        else:
            yield target


#: Characters of a file name that a message shows.
_MAX_NAME_CHARS = 80


class FileCheck:
    """Checks one file of a store. Each method returns findings about it; all raise `Failure`."""

    def __init__(self, path: str, store: BytecodeStore) -> None:
        self._path = path
        self._store = store

    def check_header(self) -> tuple[list[Finding], Target | None]:
        """Check name and header. Return a target if the code has to be compared."""
        path, store = self._path, self._store
        if is_pickle(path):
            words = "it is a numba cache: a pickle, which can run any code when the function is first called"
            return [self._finding(Rule.PYC205, words)], None
        if change := store.change_at_checkout(path):
            return [self._finding(Rule.PYC205, f"cannot be compared: {change}")], None
        head, name = store.head(path), parse_cache_name(path)
        try:
            header = parse_header(head, name)
        except InvalidHeader as error:
            return [self._finding(*describe_invalid_header(head, error))], None
        if name is None:
            return self._check_disguised(header), None
        magic = header.magic
        if name.tag and not tag_fits(name.tag, magic):
            words = (
                f"its name says {name.tag}, its magic number {magic.implementation} {magic.version}"
            )
            return [self._finding(Rule.PYC207, words)], None
        found = self._malformed(header_problem(header))
        source = store.source_of(path)
        if source is None:
            return [*found, *self._check_sourceless(name, header)], None
        return self._check_with_source(name, header, source, found)

    def check_comparison(self, target: Target) -> list[Finding]:
        """Check a target that was compared."""
        comparison = target.comparison
        freshness = _check_freshness(target)
        if _is_stale(freshness):
            return [self._finding(Rule.PYC201, f"stale: {freshness.why}")]
        if comparison.exact:
            return []
        pyc = target.pyc or read_pyc(self._store.read(self._path))
        found = self._malformed(code_problem(pyc))
        if found or comparison.result.is_equivalent:
            return found
        if comparison.result is ComparisonResult.UNKNOWN:
            return self._check_format(pyc) or [self._no_compiler(target, pyc)]
        return [self._mismatch(target, pyc, freshness)]

    def _finding(
        self, rule: Rule, message: str, fix: str | None = None, hint: str | None = None
    ) -> Finding:
        """Return a finding. By default the fix removes the file: Python writes a missing cache again."""
        if fix is None and rule is not Rule.PYC205:
            fix = self._store.remove_command(self._path)
        return Finding(self._path, rule, message, fix, hint=hint)

    def _malformed(self, problem: str | None) -> list[Finding]:
        """Return the finding for a malformed file, an empty list without a problem."""
        return [self._finding(Rule.PYC206, f"not well-formed: {problem}")] if problem else []

    def _check_format(self, pyc: Pyc) -> list[Finding]:
        """Check the format of code that cannot be compared, including its tables."""
        return self._malformed(code_problem(pyc) or table_problem(pyc))

    def _check_disguised(self, header: Header) -> list[Finding]:
        """Check bytecode under another name: `python FILE` runs it with any name."""
        pyc = read_pyc(self._store.read(self._path))
        who = f"{header.magic.implementation} {header.magic.version}"
        words = (
            f"contains {who} bytecode despite its name;"
            f" `python {self._path}` can run it without a source"
        )
        return self._check_format(pyc) or [
            self._finding(Rule.PYC204, words + _describe_forgery(pyc))
        ]

    def _check_sourceless(self, name: CacheName, header: Header) -> list[Finding]:
        """Check a file that has no source."""
        pyc = read_pyc(self._store.read(self._path), name)
        found = self._check_format(pyc)
        if found:
            return found
        if name.tag:
            words = (
                "its source does not exist, so it cannot be compared, and Python does not import it"
            )
            return [self._finding(Rule.PYC205, words, self._store.remove_command(self._path))]
        magic = header.magic
        words = f"{magic.implementation} {magic.version} runs it, and its source does not exist"
        return [self._finding(Rule.PYC204, words + _describe_forgery(pyc))]

    def _check_with_source(
        self, name: CacheName, header: Header, source: FoundSource, found: list[Finding]
    ) -> tuple[list[Finding], Target | None]:
        """Check a file whose source exists; `found` are the findings about its header."""
        if change := self._store.change_at_checkout(source.path):
            words = f"cannot be compared with its source, {source.path}: {change}"
            return [*found, self._finding(Rule.PYC205, words)], None
        validation = header.validation
        if isinstance(validation, SourceHash) and not validation.checked and name.tag:
            found.append(self._unchecked_hash(name, header, source.path))
        if isinstance(validation, Timestamp):
            freshness = check_freshness(header, source.source)
            if _is_stale(freshness):
                return [*found, self._finding(Rule.PYC201, f"stale: {freshness.why}")], None
        if is_uncomparable(name, header, source):
            return [*found, *self._check_uncomparable(name, header, source)], None
        return found, Target(self._path, name, header, source)

    def _check_uncomparable(
        self, name: CacheName, header: Header, source: FoundSource
    ) -> list[Finding]:
        """Check a file that no compiler writes from the source alone."""
        pyc = read_pyc(self._store.read(self._path), name)
        freshness = check_freshness(header, source.source)
        found = self._check_format(pyc)
        if found:
            return found
        if _is_stale(freshness):
            return [self._finding(Rule.PYC201, f"stale: {freshness.why}")]
        return [self._unverifiable(pyc, _describe_writer(name, header, source.path))]

    def _unchecked_hash(self, name: CacheName, header: Header, source: str) -> Finding:
        """Return the finding for a hash that Python does not check."""
        level = f" -o {name.optimization}" if name.optimization else ""
        return self._finding(
            Rule.PYC203,
            f"Python runs it without checking {source} (unchecked-hash flag)",
            f"python{header.magic.version} -m compileall -f{level} --invalidation-mode checked-hash"
            f" {shell_quote(source)}",
        )

    def _unverifiable(self, pyc: Pyc, reason: str, hint: str | None = None) -> Finding:
        """Return the finding for well-formed code that cannot be compared.

        It is a mismatch if no compiler writes such code, because no source can compile to it.
        """
        forgery = _describe_forgery(pyc)
        if forgery:
            return self._finding(Rule.PYC202, f"no source compiles to it{forgery}")
        return self._finding(Rule.PYC205, f"cannot be compared: {reason}", hint=hint)

    def _no_compiler(self, target: Target, pyc: Pyc) -> Finding:
        """Return the finding for a file without a compiler, or with a source that exceeds its limits."""
        magic, comparison = target.header.magic, target.comparison
        if comparison.compiler:
            why = f"{comparison.compiler} could not compile its source: {comparison.reason}"
            return self._unverifiable(pyc, why)
        who = f"{magic.implementation} {magic.version}"
        return self._unverifiable(
            pyc,
            f"no {who} with magic number {magic.number} is available",
            "install it, or name it with `--python EXE`",
        )

    def _mismatch(self, target: Target, pyc: Pyc, freshness: FreshnessResult) -> Finding:
        """Return the finding for a file whose source compiles to different code."""
        comparison, source = target.comparison, target.source.path
        more = _describe_forgery(pyc)
        if comparison.difference is None:
            words = f"its source does not compile with {comparison.compiler} ({comparison.reason})"
        elif comparison.difference.field == "filename":
            words, more = describe_several_names(file_names(pyc.code)), ""
        else:
            where = comparison.reason or f"{describe_difference(comparison.difference)} differs"
            words = f"it is not what {comparison.compiler} compiles {source} to: {where}"
            if comparison.may_be_patch_level and not more:
                magic = target.header.magic
                words += (
                    f", or it was compiled by another patch level of {magic.implementation}"
                    f" {magic.version} (pass that one with --python)"
                )
        if freshness.freshness is Freshness.STALE:
            return self._finding(Rule.PYC201, f"stale: {freshness.why}, and {words}")
        when = _describe_when_it_runs(target, freshness)
        return self._finding(Rule.PYC202, f"{words}. {when}{more}")


def is_uncomparable(name: CacheName, header: Header, source: FoundSource) -> bool:
    """Return whether no available compiler can write this file from its source."""
    magic = header.magic
    return (
        marshal_format(magic) is None
        or name.is_instrumented
        or (name.implementation == "PyPy" and writes_other_code(name.tag, magic))
        or name.has_foreign_code
        or is_compiled_by_hook(source.path)
    )


def describe_invalid_header(head: bytes, error: InvalidHeader) -> tuple[Rule, str]:
    """Return rule and message for a header that Python refuses.

    An unknown magic number may belong to a newer Python.
    """
    if is_lfs_pointer(head):
        return Rule.PYC205, "it is a Git LFS pointer; `git lfs pull` downloads the content"
    if identify_magic(head) is None and head[2:4] == CRLF:
        number = int.from_bytes(head[:2], "little")
        return Rule.PYC205, f"its magic number {number} is not known"
    content = describe_content(head) if identify_magic(head) is None else None
    if content:
        return Rule.PYC206, f"not well-formed: it contains {content}"
    return Rule.PYC206, f"not well-formed: {error}"


def describe_several_names(names: list[str]) -> str:
    """Return a clause about a file whose code objects have several file names."""
    first, second = (
        name if len(name) <= _MAX_NAME_CHARS else name[:_MAX_NAME_CHARS] + "…" for name in names[:2]
    )
    return f"its code objects have several file names ({first} and {second}); compilers write one"


def _describe_writer(name: CacheName, header: Header, source: str) -> str:
    """Return what wrote the file, which is why it cannot be compared."""
    if name.pytest:
        return f"{name.pytest_writer} has rewritten its assertions"
    if is_compiled_by_hook(source):
        return f"an import hook compiles {source}, which is not written in Python"
    if name.implementation and writes_other_code(name.tag, header.magic):
        magic = header.magic
        return (
            f"{name.implementation} wrote it under the magic number of"
            f" {magic.implementation} {magic.version}"
        )
    if name.is_instrumented:
        return f"an import hook, {name.optimization}, has rewritten its code"
    if name.suffix == "$py.class":
        return "it is a Java class, which Jython runs if it is not older than its source"
    return f"the code of {header.magic.implementation} {header.magic.version} cannot be read"


def _describe_forgery(pyc: Pyc) -> str:
    """Return a clause about code that no compiler writes, empty if there is none."""
    if marshal_format(pyc.header.magic) is None:
        return ""
    for forged in find_forged_instructions(pyc.code, pyc.header.magic):
        return f"; {forged.code.name} contains what no compiler writes: {forged.reason}"
    names = file_names(pyc.code)
    return f"; {describe_several_names(names)}" if len(names) > 1 else ""


def _is_stale(freshness: FreshnessResult) -> bool:
    """Return whether a source has changed, rather than only its modification time."""
    return freshness.freshness is Freshness.STALE and not freshness.only_mtime_differs


def _check_freshness(target: Target) -> FreshnessResult:
    """Check the freshness, with the source hash that the interpreter of the file computed."""

    def hashed(source: bytes, magic: Magic) -> bytes | None:
        return target.digest or source_hash(source, magic)

    return check_freshness(target.header, target.source.source, hashed)


_RUNS = {
    Freshness.RUNS: "Python runs it",
    Freshness.MAY_RUN: "Python may run it",
}


def _describe_when_it_runs(target: Target, freshness: FreshnessResult) -> str:
    """Return when Python runs a file that is not stale.

    Python 3 prefers the source next to a legacy `.pyc`, except in a zip file (`zipimport`).
    """
    if not (target.name.tag or is_pre_pep3147(target.header.magic)):
        if target.name.suffix == ".pyo":
            return "Python 3.5 and later do not use .pyo; earlier versions run it with -O"
        return (
            f"Python runs it if the source is removed, or from a zip file, because {freshness.why}"
        )
    return f"{_RUNS[freshness.freshness]}, because {freshness.why}"
