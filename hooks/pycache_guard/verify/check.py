"""Check every bytecode file of a store: its name, its header, and the result of a comparison."""

from __future__ import annotations

from typing import NamedTuple

from pycache_guard.bytecode.cache_names import is_compiled_by_hook
from pycache_guard.bytecode.cache_names import parse_cache_name
from pycache_guard.bytecode.cache_names import tag_fits
from pycache_guard.bytecode.cache_names import writes_other_code
from pycache_guard.bytecode.code_object import marshal_format
from pycache_guard.bytecode.contents import describe_content
from pycache_guard.bytecode.freshness import Freshness
from pycache_guard.bytecode.freshness import FreshnessResult
from pycache_guard.bytecode.freshness import check_freshness
from pycache_guard.bytecode.freshness import is_pre_pep3147
from pycache_guard.bytecode.header import InvalidHeader
from pycache_guard.bytecode.header import SourceHash
from pycache_guard.bytecode.header import Timestamp
from pycache_guard.bytecode.header import parse_header
from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.bytecode.magic_numbers import CRLF
from pycache_guard.bytecode.pyc import code_problem
from pycache_guard.bytecode.pyc import header_problem
from pycache_guard.bytecode.pyc import read_pyc
from pycache_guard.bytecode.pyc import table_problem
from pycache_guard.bytecode.sniff import is_lfs_pointer
from pycache_guard.bytecode.source_hash import source_hash
from pycache_guard.bytecode.tampering import file_names
from pycache_guard.bytecode.tampering import find_forged_instructions
from pycache_guard.errors import Failure
from pycache_guard.findings import Finding
from pycache_guard.findings import Rule
from pycache_guard.remedies import shell_quote
from pycache_guard.verify.compare import Comparer
from pycache_guard.verify.compare import ComparisonResult
from pycache_guard.verify.compare import Target
from pycache_guard.verify.compare import describe_difference
from pycache_guard.verify.stores import is_pickle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.bytecode.cache_names import CacheName
    from pycache_guard.bytecode.header import Header
    from pycache_guard.bytecode.magic import Magic
    from pycache_guard.bytecode.pyc import Pyc
    from pycache_guard.interpreters.pool import CompilerPool
    from pycache_guard.verify.stores import BytecodeStore
    from pycache_guard.verify.stores import FoundSource


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
    for target in Comparer(store, compilers).compare_all(iter_targets(store, result)):
        try:
            verdicts = check_comparison(target, store)
        except Failure as failure:
            store.failures.append(str(failure))
            continue
        result.checked += 1
        result.findings += to_findings(target.path, verdicts, store)
        if verdicts:
            continue
        outcome = target.outcome
        if outcome.result is ComparisonResult.LINES_DIFFER:
            result.lines_differ.setdefault(outcome.compiler, []).append(target.path)
        elif outcome.result is ComparisonResult.LAYOUT_DIFFERS:
            result.layout_differs.setdefault(outcome.compiler, []).append(target.path)
        else:
            result.verified += 1
        if target.is_level_open() and target.outcome.level:
            result.levels[target.path] = target.outcome.level
    result.failures = sorted(set(store.failures))
    return result


def iter_targets(store: BytecodeStore, result: VerifyResult) -> Iterator[Target]:
    """Yield the files to compare. Findings that need no comparison go into `result`."""
    for path in store.paths():
        try:
            verdicts, target = check_header(path, store)
        except Failure as failure:
            store.failures.append(str(failure))
            continue
        result.findings += to_findings(path, verdicts, store)
        if target is None:
            result.checked += 1
        else:
            yield target


def to_findings(path: str, verdicts: list[Verdict], store: BytecodeStore) -> list[Finding]:
    """Return verdicts as findings, with the commands that fix them.

    The file is removed unless the verdict has a command of its own: Python writes a missing cache again.
    """
    return [
        Finding(
            path,
            verdict.rule,
            verdict.message,
            verdict.remedy or (None if verdict.rule is Rule.PYC205 else store.remove_command(path)),
            hint=verdict.hint,
        )
        for verdict in verdicts
    ]


#: Characters of a file name that a message shows.
_MAX_NAME_CHARS = 80


def _check_disguised(path: str, store: BytecodeStore, header: Header) -> list[Verdict]:
    """Check bytecode under another name: `python FILE` runs it with any name."""
    pyc = read_pyc(store.read(path))
    who = f"{header.magic.implementation} {header.magic.version}"
    words = f"contains {who} bytecode despite its name; `python {path}` can run it without a source"
    return malformed(pyc) or [Verdict(Rule.PYC204, words + _forgery_note(pyc))]


def _check_sourceless(
    path: str, store: BytecodeStore, name: CacheName, header: Header
) -> list[Verdict]:
    """Check a file that has no source."""
    pyc = read_pyc(store.read(path), name)
    if name.tag:
        words = "its source does not exist, so it cannot be compared, and Python does not import it"
        return malformed(pyc) or [Verdict(Rule.PYC205, words, store.remove_command(path))]
    magic = header.magic
    words = f"{magic.implementation} {magic.version} runs it, and its source does not exist"
    return malformed(pyc) or [Verdict(Rule.PYC204, words + _forgery_note(pyc))]


def _check_uncomparable(
    path: str, store: BytecodeStore, name: CacheName, header: Header, source: FoundSource
) -> list[Verdict]:
    """Check a file that no compiler writes from the source alone."""
    pyc = read_pyc(store.read(path), name)
    fitting = check_freshness(header, source.source)
    if fitting.freshness is Freshness.STALE and not fitting.only_mtime_differs:
        return malformed(pyc) or [Verdict(Rule.PYC201, f"stale: {fitting.why}")]
    return malformed(pyc) or [unverifiable(pyc, _writer(name, header, source.path))]


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


def _writer(name: CacheName, header: Header, source: str) -> str:
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


def unverifiable(pyc: Pyc, reason: str) -> Verdict:
    """Return the verdict on well-formed code that cannot be compared.

    It is a mismatch if no compiler writes such code, because no source can compile to it."""
    strange = _forgery_note(pyc)
    if strange:
        return Verdict(Rule.PYC202, f"no source compiles to it{strange}")
    return Verdict(Rule.PYC205, f"cannot be compared: {reason}")


def _malformed(pyc: Pyc) -> list[Verdict]:
    """Check the format of the code, which needs no source."""
    flaw = code_problem(pyc)
    return [Verdict(Rule.PYC206, f"not well-formed: {flaw}")] if flaw else []


def malformed(pyc: Pyc) -> list[Verdict]:
    """Check the format of code that cannot be compared, including its tables."""
    found = _malformed(pyc)
    if found:
        return found
    problem = table_problem(pyc)
    return [Verdict(Rule.PYC206, f"not well-formed: {problem}")] if problem else []


def _forgery_note(pyc: Pyc) -> str:
    """Return a clause about code that no compiler writes, empty if there is none."""
    if marshal_format(pyc.header.magic) is None:
        return ""
    for oddity in find_forged_instructions(pyc.code, pyc.header.magic):
        return f"; {oddity.code.name} contains what no compiler writes: {oddity.reason}"
    names = file_names(pyc.code)
    return f"; {several_names(names)}" if len(names) > 1 else ""


def several_names(names: list[str]) -> str:
    """Return a clause about a file whose code objects have several file names."""
    first, second = (
        name if len(name) <= _MAX_NAME_CHARS else name[:_MAX_NAME_CHARS] + "…" for name in names[:2]
    )
    return f"its code objects have several file names ({first} and {second}); compilers write one"


def check_header(path: str, store: BytecodeStore) -> tuple[list[Verdict], Target | None]:
    """Check name and header. Return a target if the code has to be compared.

    Raises `Failure` if the file cannot be read.
    """
    if is_pickle(path):
        words = "it is a numba cache: a pickle, which can run any code when the function is first called"
        return [Verdict(Rule.PYC205, words)], None
    if change := store.change_at_checkout(path):
        return [Verdict(Rule.PYC205, f"cannot be compared: {change}")], None
    head, name = store.head(path), parse_cache_name(path)
    try:
        header = parse_header(head, name)
    except InvalidHeader as error:
        return [unknown_magic_verdict(head, error)], None
    if name is None:
        return _check_disguised(path, store, header), None
    magic = header.magic
    if name.tag and not tag_fits(name.tag, magic):
        words = f"its name says {name.tag}, its magic number {magic.implementation} {magic.version}"
        return [Verdict(Rule.PYC207, words)], None
    flaw = header_problem(header)
    found = [Verdict(Rule.PYC206, f"not well-formed: {flaw}")] if flaw else []
    source = store.source_of(path)
    if source is None:
        return [*found, *_check_sourceless(path, store, name, header)], None
    return _check_with_source(path, store, name, header, source, found)


def _check_with_source(
    path: str,
    store: BytecodeStore,
    name: CacheName,
    header: Header,
    source: FoundSource,
    found: list[Verdict],
) -> tuple[list[Verdict], Target | None]:
    """Check a file whose source exists."""
    if change := store.change_at_checkout(source.path):
        words = f"cannot be compared with its source, {source.path}: {change}"
        return [*found, Verdict(Rule.PYC205, words)], None
    validation = header.validation
    if isinstance(validation, SourceHash) and not validation.checked and name.tag:
        found.append(_unchecked_hash(name, header, source.path))
    if isinstance(validation, Timestamp):
        fitting = check_freshness(header, source.source)
        if fitting.freshness is Freshness.STALE and not fitting.only_mtime_differs:
            return [*found, Verdict(Rule.PYC201, f"stale: {fitting.why}")], None
    if is_uncomparable(name, header, source):
        return [*found, *_check_uncomparable(path, store, name, header, source)], None
    return found, Target(path, name, header, source)


def _unchecked_hash(name: CacheName, header: Header, source: str) -> Verdict:
    """Return the verdict on a hash that Python does not check."""
    level = f" -o {name.optimization}" if name.optimization else ""
    return Verdict(
        Rule.PYC203,
        f"Python runs it without checking {source} (unchecked-hash flag)",
        f"python{header.magic.version} -m compileall -f{level} --invalidation-mode checked-hash"
        f" {shell_quote(source)}",
    )


def unknown_magic_verdict(head: bytes, error: InvalidHeader) -> Verdict:
    """Return the verdict on a header that Python refuses. An unknown number may belong to a newer Python."""
    if is_lfs_pointer(head):
        return Verdict(Rule.PYC205, "it is a Git LFS pointer; `git lfs pull` downloads the content")
    if identify_magic(head) is None and head[2:4] == CRLF:
        number = int.from_bytes(head[:2], "little")
        return Verdict(Rule.PYC205, f"its magic number {number} is not known")
    content = describe_content(head) if identify_magic(head) is None else None
    if content:
        return Verdict(Rule.PYC206, f"not well-formed: it contains {content}")
    return Verdict(Rule.PYC206, f"not well-formed: {error}")


class Verdict(NamedTuple):
    """One problem of a file."""

    rule: Rule
    message: str
    #: The command that fixes it; None means to remove the file.
    remedy: str | None = None
    #: What to do, in words.
    hint: str | None = None


_RUNS = {
    Freshness.RUNS: "Python runs it",
    Freshness.MAY_RUN: "Python may run it",
}


def check_comparison(target: Target, store: BytecodeStore) -> list[Verdict]:
    """Return the problems of a target that was compared. Raises `Failure`."""
    result = target.outcome.result
    fitting = _freshness(target)
    if fitting.freshness is Freshness.STALE and not fitting.only_mtime_differs:
        return [Verdict(Rule.PYC201, f"stale: {fitting.why}")]
    if target.outcome.exact:
        return []
    pyc = target.pyc or read_pyc(store.read(target.path))
    flaws = _malformed(pyc)
    if flaws or result.is_equivalent:
        return flaws
    if result is ComparisonResult.UNKNOWN:
        return malformed(pyc) or [_no_compiler(target, pyc)]
    return [_mismatch(target, pyc, fitting)]


def _freshness(target: Target) -> FreshnessResult:
    """Check the freshness, with the source hash that the interpreter of the file computed."""

    def hashed(source: bytes, magic: Magic) -> bytes | None:
        return target.digest or source_hash(source, magic)

    return check_freshness(target.header, target.source.source, hashed)


def _no_compiler(target: Target, pyc: Pyc) -> Verdict:
    """Return the verdict on a file without a compiler, or with a source that exceeds its limits."""
    magic, outcome = target.header.magic, target.outcome
    if outcome.compiler:
        return unverifiable(
            pyc, f"{outcome.compiler} could not compile its source: {outcome.reason}"
        )
    who = f"{magic.implementation} {magic.version}"
    verdict = unverifiable(pyc, f"no {who} with magic number {magic.number} is available")
    if verdict.rule is not Rule.PYC205:
        return verdict
    return verdict._replace(hint="install it, or name it with `--python EXE`")


def _mismatch(target: Target, pyc: Pyc, fitting: FreshnessResult) -> Verdict:
    """Return the verdict on a file whose source compiles to different code."""
    outcome, source = target.outcome, target.source.path
    more = _forgery_note(pyc)
    if outcome.difference is None:
        words = f"its source does not compile with {outcome.compiler} ({outcome.reason})"
    elif outcome.difference.field == "filename":
        words, more = several_names(file_names(pyc.code)), ""
    else:
        where = outcome.reason or f"{describe_difference(outcome.difference)} differs"
        words = f"it is not what {outcome.compiler} compiles {source} to: {where}"
        if outcome.may_be_patch_level and not more:
            magic = target.header.magic
            words += (
                f", or it was compiled by another patch level of {magic.implementation} {magic.version}"
                " (pass that one with --python)"
            )
    if fitting.freshness is Freshness.STALE:
        return Verdict(Rule.PYC201, f"stale: {fitting.why}, and {words}")
    return Verdict(Rule.PYC202, f"{words}. {_when_it_runs(target, fitting)}{more}")


def _when_it_runs(target: Target, fitting: FreshnessResult) -> str:
    """Return when Python runs a file that is not stale.

    Python 3 prefers the source next to a legacy `.pyc`, except in a zip file (`zipimport`).
    """
    if not (target.name.tag or is_pre_pep3147(target.header.magic)):
        if target.name.suffix == ".pyo":
            return "Python 3.5 and later do not use .pyo; earlier versions run it with -O"
        return f"Python runs it if the source is removed, or from a zip file, because {fitting.why}"
    return f"{_RUNS[fitting.freshness]}, because {fitting.why}"
