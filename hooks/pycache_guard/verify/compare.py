"""Compare bytecode files with what compilers make of their sources."""

from __future__ import annotations

from collections import deque
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.bytecode.code_diff import (
    equal_ignoring_filename,
    find_difference,
    find_other_instructions,
)
from pycache_guard.bytecode.code_object import marshal_format
from pycache_guard.bytecode.control_flow import executes_the_same
from pycache_guard.bytecode.header import InvalidHeader
from pycache_guard.bytecode.marshal_scalars import MarshalError
from pycache_guard.bytecode.pyc import read_pyc, table_problem
from pycache_guard.bytecode.unmarshal import read_code
from pycache_guard.errors import Failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pycache_guard.bytecode.cache_names import CacheName
    from pycache_guard.bytecode.header import Header
    from pycache_guard.bytecode.magic import Magic
    from pycache_guard.bytecode.pyc import Pyc
    from pycache_guard.bytecode.stores import BytecodeStore, FoundSource
    from pycache_guard.interpreters.pool import CompilerPool
    from pycache_guard.interpreters.process import CompileResult, CompilerProcess

    #: A target and the optimization level of the comparison.
    ComparisonAttempt = tuple["Target", int]
    from pycache_guard.bytecode.code_diff import Difference


class Target:
    """A file whose header is well-formed, with a source to compare it with."""

    __slots__ = ("comparison", "digest", "header", "name", "path", "pyc", "source")

    def __init__(self, path: str, name: CacheName, header: Header, source: FoundSource) -> None:
        self.path = path
        self.name = name
        self.header = header
        self.source = source
        #: Read at the first comparison, dropped when the result is final.
        self.pyc: Pyc | None = None
        self.comparison = Comparison(ComparisonResult.UNKNOWN)
        #: The hash of the source that the interpreter of the file computed, None if it was not asked.
        self.digest: bytes | None = None

    def levels(self) -> tuple[int, ...]:
        """Return the optimization levels that the name allows, in ascending order.

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
    """Return whether suffixes state optimization levels, as before Python 3.5 (PEP 488)."""
    first = magic.version.partition("-")[0]
    return tuple(int(part) for part in first.split(".") if part.isdecimal()) < (3, 5)


class Comparer:
    """Compares targets with what compilers make of their sources."""

    def __init__(self, store: BytecodeStore, compilers: CompilerPool) -> None:
        self._store = store
        self._compilers = compilers

    def compare_all(self, targets: Iterable[Target]) -> Iterator[Target]:
        """Yield each target once its result is final, grouped by interpreter.

        A file that cannot be read becomes a failure of the store and is not yielded.
        """
        kinds: dict[tuple[Magic, str], list[Target]] = {}
        for target in targets:
            kinds.setdefault((target.header.magic, target.name.tag.lower()), []).append(target)
        for (magic, tag), group in sorted(kinds.items()):
            left = group
            for process in self._compilers.for_magic(magic, tag):
                asked, left = left, []
                yield from self._compare_with(process, asked, left)
                if not left:
                    break
            yield from left

    def _compare_with(
        self, process: CompilerProcess, targets: list[Target], left: list[Target]
    ) -> Iterator[Target]:
        """Compare with one compiler, by level. Yield targets with a final result; put the others into `left`."""
        # By level, because Python 2 is restarted for each.
        queue = deque(sorted(((c, c.levels()[0]) for c in targets), key=lambda attempt: attempt[1]))
        while queue:
            for (target, level), answer in self._compile_ahead(process, queue):
                record_result(target, process, answer, level)
                later = [other for other in target.levels() if other > level]
                if target.comparison.result is ComparisonResult.SAME:
                    yield target
                    target.pyc = None
                elif later:
                    queue.append((target, later[0]))
                else:
                    left.append(target)

    def _compile_ahead(
        self, process: CompilerProcess, queue: deque[ComparisonAttempt]
    ) -> Iterator[tuple[ComparisonAttempt, CompileResult]]:
        """Yield each result while the next source is being compiled.

        A source is sent only after the previous result has been read. Otherwise both processes could
        wait for each other to read.
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
            target = attempt[0]
            try:
                target.pyc = target.pyc or read_pyc(self._store.read(target.path))
                return attempt, target.source.source.read()
            except Failure as failure:
                self._store.failures.append(str(failure))
            except InvalidHeader:
                self._store.failures.append(f"{target.path}: changed while it was read")
        return None


def record_result(
    target: Target, process: CompilerProcess, answer: CompileResult, level: int
) -> None:
    """Record a result at an optimization level if it is better than the previous one."""
    target.digest = answer.digest or target.digest
    if answer.code is None:
        result = ComparisonResult.REFUSED if answer.rejected else ComparisonResult.UNKNOWN
        comparison = Comparison(result, reason=answer.reason)
    else:
        assert target.pyc is not None
        comparison = compare_code(target.pyc, answer.code, process.name)._replace(level=level)
    if comparison.result > target.comparison.result or not target.comparison.compiler:
        target.comparison = comparison._replace(compiler=process.interpreter.title)


def compare_code(pyc: Pyc, code: bytes, name: bytes) -> Comparison:
    """Compare a file with `code`, which a compiler made of its source under the file name `name`."""
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
    result = ComparisonResult.LINES_DIFFER
    if not where.only_lines:
        pairs = find_other_instructions(expected, found)
        if pairs is None or not all(executes_the_same(*pair, magic) for pair in pairs):
            return Comparison(
                ComparisonResult.DIFFERENT, difference=where, may_be_patch_level=pairs is not None
            )
        result = ComparisonResult.LAYOUT_DIFFERS
    problem = table_problem(pyc)
    if problem:
        return Comparison(ComparisonResult.DIFFERENT, reason=problem, difference=where)
    return Comparison(result, difference=where)


class ComparisonResult(IntEnum):
    """Results in ascending order of certainty."""

    #: No compiler was available, or none could compile the source.
    UNKNOWN = 0
    #: The source is not valid in the Python version of the file.
    REFUSED = 1
    DIFFERENT = 2
    #: The same instructions are executed, but they are stored in another order: patch levels of one
    #: version do that.
    LAYOUT_DIFFERS = 3
    #: Only line tables differ, and they are well-formed: patch levels of one version do that.
    LINES_DIFFER = 4
    SAME = 5

    @property
    def is_equivalent(self) -> bool:
        """Return whether the code computes what the source says."""
        return self >= ComparisonResult.LAYOUT_DIFFERS


class Comparison(NamedTuple):
    """The best result of all attempts."""

    result: ComparisonResult
    #: The compiler, such as `CPython 3.12.1`; empty if none was available.
    compiler: str = ""
    #: Why the result is unknown, the error of the compiler, or the malformed table.
    reason: str = ""
    #: The first difference of the trees.
    difference: Difference | None = None
    #: Whether the bytes are equal, so that the code need not be read.
    exact: bool = False
    #: The optimization level of the comparison.
    level: int = 0
    #: Whether the difference is of the kind that patch levels of one magic number make.
    may_be_patch_level: bool = False


def describe_difference(difference: Difference) -> str:
    """Return the place of a difference: `consts[2] of Outer.inner`."""
    scopes = ".".join(difference.path[1:]) or difference.path[0]
    return f"{difference.field} of {scopes}"
