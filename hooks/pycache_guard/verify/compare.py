"""One bytecode file under judgement."""

from __future__ import annotations

from collections import deque
from enum import IntEnum
from typing import NamedTuple

from pycache_guard.bytecode.code_diff import equal_ignoring_filename
from pycache_guard.bytecode.code_diff import find_difference
from pycache_guard.bytecode.code_diff import is_patch_level_difference
from pycache_guard.bytecode.code_object import marshal_format
from pycache_guard.bytecode.header import InvalidHeader
from pycache_guard.bytecode.marshal_scalars import MarshalError
from pycache_guard.bytecode.pyc import read_pyc
from pycache_guard.bytecode.pyc import table_problem
from pycache_guard.bytecode.unmarshal import read_code
from pycache_guard.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator

    from pycache_guard.bytecode.cache_names import CacheName
    from pycache_guard.bytecode.header import Header
    from pycache_guard.bytecode.magic import Magic
    from pycache_guard.bytecode.pyc import Pyc
    from pycache_guard.interpreters.pool import CompilerPool
    from pycache_guard.interpreters.process import CompileResult
    from pycache_guard.interpreters.process import CompilerProcess
    from pycache_guard.verify.stores import BytecodeStore
    from pycache_guard.verify.stores import FoundSource

    #: A case and the optimization level it is compared at.
    ComparisonAttempt = tuple["Target", int]
    from pycache_guard.bytecode.code_diff import Difference


class Target:
    """A file whose header is well-formed, with a source to compare it with."""

    __slots__ = ("digest", "header", "name", "outcome", "path", "pyc", "source")

    def __init__(self, path: str, name: CacheName, header: Header, source: FoundSource) -> None:
        self.path = path
        self.name = name
        self.header = header
        self.source = source
        #: Read when it is compared first, and dropped when it is settled.
        self.pyc: Pyc | None = None
        self.outcome = Comparison(ComparisonResult.UNKNOWN)
        #: The hash of the source as the file's own interpreter makes it, where that was asked.
        self.digest: bytes | None = None

    def levels(self) -> tuple[int, ...]:
        """Return the optimization levels that the name leaves open, in rising order.

        A level above 2 compiles as 2 does (CPython `Python/compile.c`). Before PEP 488, Python 3.5,
        `.pyc` is level 0, and `.pyo` is level 1 or 2. Since then, `compileall -b` writes files
        of all levels under one name, which has no tag.
        """
        if self.name.optimization.isdecimal():
            return (min(int(self.name.optimization), 2),)
        if self.name.suffix == ".pyo":
            return (1, 2)
        return (0, 1, 2) if self.is_level_open() else (0,)

    def is_level_open(self) -> bool:
        """Return whether the name of a `.pyc` does not state its optimization level."""
        is_legacy = not self.name.tag and self.name.suffix == ".pyc"
        return is_legacy and not is_before_pep_488(self.header.magic)


def is_before_pep_488(magic: Magic) -> bool:
    """Return whether suffixes state optimization levels: before Python 3.5."""
    first = magic.version.partition("-")[0]
    return tuple(int(part) for part in first.split(".") if part.isdecimal()) < (3, 5)


class Comparer:
    """Compares cases with what compilers make of their sources."""

    def __init__(self, store: BytecodeStore, compilers: CompilerPool) -> None:
        self._store = store
        self._compilers = compilers

    def compare_all(self, cases: Iterable[Target]) -> Iterator[Target]:
        """Yield each case when its outcome gets no better, those of one interpreter together.

        What cannot be read is a failure of the store, and not yielded.
        """
        kinds: dict[tuple[Magic, str], list[Target]] = {}
        for case in cases:
            kinds.setdefault((case.header.magic, case.name.tag.lower()), []).append(case)
        for (magic, tag), group in sorted(kinds.items()):
            left = group
            for process in self._compilers.for_magic(magic, tag):
                asked, left = left, []
                yield from self._compare_with(process, asked, left)
                if not left:
                    break
            yield from left

    def _compare_with(
        self, process: CompilerProcess, cases: list[Target], left: list[Target]
    ) -> Iterator[Target]:
        """Compare with one compiler, level by level; yield what is settled, leave the rest in `left`."""
        # Level by level: a Python 2 is started anew for each.
        queue = deque(sorted(((c, c.levels()[0]) for c in cases), key=lambda attempt: attempt[1]))
        while queue:
            for (case, level), answer in self._compile_ahead(process, queue):
                record_result(case, process, answer, level)
                later = [other for other in case.levels() if other > level]
                if case.outcome.result is ComparisonResult.SAME:
                    yield case
                    case.pyc = None
                elif later:
                    queue.append((case, later[0]))
                else:
                    left.append(case)

    def _compile_ahead(
        self, process: CompilerProcess, queue: deque[ComparisonAttempt]
    ) -> Iterator[tuple[ComparisonAttempt, CompileResult]]:
        """Yield each answer while the next source is being compiled already.

        The compiler is sent a source only after its answer to the one before has been read: neither
        can wait for the other to read.
        """
        done = None
        upcoming = self._next(queue)
        while upcoming is not None:
            attempt, source = upcoming
            process.submit(source, attempt[1])
            if done is not None:
                yield done
            upcoming = self._next(queue)
            done = attempt, process.result()
        if done is not None:
            yield done

    def _next(self, queue: deque[ComparisonAttempt]) -> tuple[ComparisonAttempt, bytes] | None:
        """Take the next attempt whose files can be read, with the source."""
        while queue:
            attempt = queue.popleft()
            case = attempt[0]
            try:
                case.pyc = case.pyc or read_pyc(self._store.read(case.path))
                return attempt, case.source.source.read()
            except Failure as failure:
                self._store.failures.append(str(failure))
            except InvalidHeader:
                self._store.failures.append(f"{case.path}: changed while it was read")
        return None


def record_result(
    case: Target, process: CompilerProcess, answer: CompileResult, level: int
) -> None:
    """Keep what an answer at an optimization level tells of a case, if it is more than was known."""
    case.digest = answer.digest or case.digest
    if answer.code is None:
        result = ComparisonResult.REFUSED if answer.rejected else ComparisonResult.UNKNOWN
        outcome = Comparison(result, reason=answer.reason)
    else:
        assert case.pyc is not None
        outcome = compare_code(case.pyc, answer.code, process.name)._replace(level=level)
    if outcome.result > case.outcome.result or not case.outcome.compiler:
        case.outcome = outcome._replace(compiler=process.interpreter.title)


def compare_code(pyc: Pyc, code: bytes, name: bytes) -> Comparison:
    """Compare a file with what a compiler made of its source, `name` being its file name there."""
    magic = pyc.header.magic
    dialect = marshal_format(magic)
    assert dialect is not None
    start = magic.header_length
    if equal_ignoring_filename(code, pyc.data, start, name, dialect):
        return Comparison(ComparisonResult.SAME, exact=True)
    try:
        found = pyc.code
    except MarshalError as error:
        return Comparison(ComparisonResult.UNKNOWN, reason=str(error))
    expected = read_code(code, 0, dialect)[0]
    where = find_difference(expected, found)
    if where is None:
        return Comparison(ComparisonResult.SAME)
    if not where.only_lines:
        return Comparison(
            ComparisonResult.DIFFERENT,
            difference=where,
            may_be_patch_level=is_patch_level_difference(expected, found),
        )
    problem = table_problem(pyc)
    if problem:
        return Comparison(ComparisonResult.DIFFERENT, reason=problem, difference=where)
    return Comparison(ComparisonResult.LINES_DIFFER, difference=where)


class ComparisonResult(IntEnum):
    """From what tells least to what settles it."""

    #: No compiler could be asked, or none could answer.
    UNKNOWN = 0
    #: The source is no Python of the file's version.
    REFUSED = 1
    DIFFERENT = 2
    #: Only line tables differ, and they are well-formed: patch levels of one version do that.
    LINES_DIFFER = 3
    SAME = 4


class Comparison(NamedTuple):
    """The best of all attempts."""

    result: ComparisonResult
    #: Of the compiler: `CPython 3.12.1`; empty where there was none.
    compiler: str = ""
    #: Why nothing is known, what the compiler reports about the source, or which table is malformed.
    reason: str = ""
    #: Where the trees part first.
    difference: Difference | None = None
    #: Whether the bytes say so, so that the code need not be read.
    exact: bool = False
    #: The optimization level of the comparison.
    level: int = 0
    #: Whether the difference is of the kind that patch levels of one magic number make.
    may_be_patch_level: bool = False


def describe_difference(difference: Difference) -> str:
    """Say where two trees part: `consts[2] of Outer.inner`."""
    scopes = ".".join(difference.path[1:]) or difference.path[0]
    return f"{difference.field} of {scopes}"
