"""Judge files that are compared with nothing: without a source, or not made from it alone."""

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
from pycache_guard.findings import Rule
from pycache_guard.remedies import shell_quote
from pycache_guard.verify.compare import ComparisonResult
from pycache_guard.verify.compare import Target
from pycache_guard.verify.compare import describe_difference
from pycache_guard.verify.stores import is_pickle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pycache_guard.bytecode.cache_names import CacheName
    from pycache_guard.bytecode.header import Header
    from pycache_guard.bytecode.magic import Magic
    from pycache_guard.bytecode.pyc import Pyc
    from pycache_guard.verify.stores import BytecodeStore
    from pycache_guard.verify.stores import FoundSource


#: Characters of a file name that a message shows.
_MAX_NAME = 80


def _judge_disguised(path: str, store: BytecodeStore, header: Header) -> list[Verdict]:
    """Judge bytecode under another name: `python FILE` runs it whatever its name."""
    pyc = read_pyc(store.read(path))
    who = f"{header.magic.implementation} {header.magic.version}"
    words = f"contains {who} bytecode despite its name; `python {path}` can run it without a source"
    return malformed(pyc) or [Verdict(Rule.PYC204, words + _forgery_note(pyc))]


def _judge_sourceless(
    path: str, store: BytecodeStore, name: CacheName, header: Header
) -> list[Verdict]:
    """Judge a file that has no source."""
    pyc = read_pyc(store.read(path), name)
    if name.tag:
        words = "its source does not exist, so it cannot be compared, and Python does not import it"
        return malformed(pyc) or [Verdict(Rule.PYC205, words, store.remove_command(path))]
    magic = header.magic
    words = f"{magic.implementation} {magic.version} runs it, and its source does not exist"
    return malformed(pyc) or [Verdict(Rule.PYC204, words + _forgery_note(pyc))]


def _judge_uncomparable(
    path: str, store: BytecodeStore, name: CacheName, header: Header, source: FoundSource
) -> list[Verdict]:
    """Judge what no compiler writes from the source alone."""
    pyc = read_pyc(store.read(path), name)
    fitting = check_freshness(header, source.source)
    if fitting.freshness is Freshness.STALE and not fitting.only_mtime_differs:
        return malformed(pyc) or [Verdict(Rule.PYC201, f"stale: {fitting.why}")]
    return malformed(pyc) or [unverifiable(pyc, _writer(name, header, source.path))]


def is_uncomparable(name: CacheName, header: Header, source: FoundSource) -> bool:
    """Whether no compiler that can be asked writes this file from its source."""
    magic = header.magic
    return (
        marshal_format(magic) is None
        or name.is_instrumented
        or (name.implementation == "PyPy" and writes_other_code(name.tag, magic))
        or name.has_foreign_code
        or is_compiled_by_hook(source.path)
    )


def _writer(name: CacheName, header: Header, source: str) -> str:
    """Say who wrote it, so that no compiler can be asked."""
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
    """Judge well-formed code that cannot be compared: what no compiler writes comes from no source."""
    strange = _forgery_note(pyc)
    if strange:
        return Verdict(Rule.PYC202, f"no source compiles to it{strange}")
    return Verdict(Rule.PYC205, f"cannot be compared: {reason}")


def _malformed(pyc: Pyc) -> list[Verdict]:
    """Judge the code whatever its source."""
    flaw = code_problem(pyc)
    return [Verdict(Rule.PYC206, f"not well-formed: {flaw}")] if flaw else []


def malformed(pyc: Pyc) -> list[Verdict]:
    """Judge the code that no compiler can be asked about: its tables too."""
    found = _malformed(pyc)
    if found:
        return found
    problem = table_problem(pyc)
    return [Verdict(Rule.PYC206, f"not well-formed: {problem}")] if problem else []


def _forgery_note(pyc: Pyc) -> str:
    """Say, to follow other words, what no compiler writes; nothing for nothing."""
    if marshal_format(pyc.header.magic) is None:
        return ""
    for oddity in find_forged_instructions(pyc.code, pyc.header.magic):
        return f"; {oddity.code.name} contains what no compiler writes: {oddity.reason}"
    names = file_names(pyc.code)
    return f"; {several_names(names)}" if len(names) > 1 else ""


def several_names(names: list[str]) -> str:
    """Return a sentence about code objects of one file that bear more than one file name."""
    first, second = (
        name if len(name) <= _MAX_NAME else name[:_MAX_NAME] + "…" for name in names[:2]
    )
    return f"its code objects have several file names ({first} and {second}); compilers write one"


def check_header(path: str, store: BytecodeStore) -> tuple[list[Verdict], Target | None]:
    """Judge what name and header tell; return a case where the code has to be compared.

    Raises `Failure` for what cannot be read.
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
        return [_unknown_magic(head, error)], None
    if name is None:
        return _judge_disguised(path, store, header), None
    magic = header.magic
    if name.tag and not tag_fits(name.tag, magic):
        words = f"its name says {name.tag}, its magic number {magic.implementation} {magic.version}"
        return [Verdict(Rule.PYC207, words)], None
    flaw = header_problem(header)
    found = [Verdict(Rule.PYC206, f"not well-formed: {flaw}")] if flaw else []
    source = store.source_of(path)
    if source is None:
        return [*found, *_judge_sourceless(path, store, name, header)], None
    return _check_with_source(path, store, name, header, source, found)


def _check_with_source(
    path: str,
    store: BytecodeStore,
    name: CacheName,
    header: Header,
    source: FoundSource,
    found: list[Verdict],
) -> tuple[list[Verdict], Target | None]:
    """Go on with a file whose source is there."""
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
        return [*found, *_judge_uncomparable(path, store, name, header, source)], None
    return found, Target(path, name, header, source)


def _unchecked_hash(name: CacheName, header: Header, source: str) -> Verdict:
    """Judge a hash that nobody compares."""
    level = f" -o {name.optimization}" if name.optimization else ""
    return Verdict(
        Rule.PYC203,
        f"Python runs it without checking {source} (unchecked-hash flag)",
        f"python{header.magic.version} -m compileall -f{level} --invalidation-mode checked-hash"
        f" {shell_quote(source)}",
    )


def _unknown_magic(head: bytes, error: InvalidHeader) -> Verdict:
    """Judge a header that Python would not take: a number that we do not know may be a Python's."""
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
    """One thing that is wrong."""

    rule: Rule
    message: str
    #: The command that mends it, where that is not to remove the file.
    remedy: str | None = None


_RUNS = {
    Freshness.RUNS: "Python runs it",
    Freshness.MAY_RUN: "Python may run it",
}


def judge_comparison(case: Target, store: BytecodeStore) -> list[Verdict]:
    """Return what is wrong with a case that has its outcome. Raises `Failure`."""
    result = case.outcome.result
    fitting = _freshness(case)
    if fitting.freshness is Freshness.STALE and not fitting.only_mtime_differs:
        return [Verdict(Rule.PYC201, f"stale: {fitting.why}")]
    if case.outcome.exact:
        return []
    pyc = case.pyc or read_pyc(store.read(case.path))
    flaws = _malformed(pyc)
    if flaws or result in (ComparisonResult.SAME, ComparisonResult.LINES_DIFFER):
        return flaws
    if result is ComparisonResult.UNKNOWN:
        return malformed(pyc) or [_no_compiler(case, pyc)]
    return [_mismatch(case, pyc, fitting)]


def _freshness(case: Target) -> FreshnessResult:
    """Tell how a file fits its source, by the hash that the file's own interpreter made of it."""

    def hashed(source: bytes, magic: Magic) -> bytes | None:
        return case.digest or source_hash(source, magic)

    return check_freshness(case.header, case.source.source, hashed)


def _no_compiler(case: Target, pyc: Pyc) -> Verdict:
    """Judge what no compiler could be asked about, or what was too much for it."""
    magic, outcome = case.header.magic, case.outcome
    if outcome.compiler:
        return unverifiable(
            pyc, f"{outcome.compiler} could not compile its source: {outcome.reason}"
        )
    who = f"{magic.implementation} {magic.version}"
    verdict = unverifiable(pyc, f"no {who} with magic number {magic.number} is available")
    if verdict.rule is not Rule.PYC205:
        return verdict
    how = f"pycache-guard verify-bytecode --python python{magic.version}"
    return verdict._replace(remedy=how)


def _mismatch(case: Target, pyc: Pyc, fitting: FreshnessResult) -> Verdict:
    """Judge what is not what its source compiles to."""
    outcome, source = case.outcome, case.source.path
    more = _forgery_note(pyc)
    if outcome.difference is None:
        words = f"its source does not compile with {outcome.compiler} ({outcome.reason})"
    elif outcome.difference.field == "filename":
        words, more = several_names(file_names(pyc.code)), ""
    else:
        where = outcome.reason or f"{describe_difference(outcome.difference)} differs"
        words = f"it is not what {outcome.compiler} compiles {source} to: {where}"
        if outcome.may_be_patch_level and not more:
            magic = case.header.magic
            words += (
                f", or it was compiled by another patch level of {magic.implementation} {magic.version}"
                " (pass that one with --python)"
            )
    if fitting.freshness is Freshness.STALE:
        return Verdict(Rule.PYC201, f"stale: {fitting.why}, and {words}")
    return Verdict(Rule.PYC202, f"{words}. {_when_it_runs(case, fitting)}{more}")


def _when_it_runs(case: Target, fitting: FreshnessResult) -> str:
    """Say when Python runs a file that is not stale.

    Python 3 takes the source beside a legacy `.pyc` first, but in a zip file (`zipimport`).
    """
    if not (case.name.tag or is_pre_pep3147(case.header.magic)):
        if case.name.suffix == ".pyo":
            return "Python 3.5 and later do not use .pyo; earlier versions run it with -O"
        return f"Python runs it if the source is removed, or from a zip file, because {fitting.why}"
    return f"{_RUNS[fitting.freshness]}, because {fitting.why}"
