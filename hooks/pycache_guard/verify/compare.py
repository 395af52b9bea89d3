"""Compare bytecode files with what compilers make of their sources."""

from __future__ import annotations

from enum import IntEnum
from itertools import chain
from operator import itemgetter
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
from pycache_guard.interpreters.parallel import Job, ParallelCompiler

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from pycache_guard.bytecode.cache_names import CacheName
    from pycache_guard.bytecode.header import Header
    from pycache_guard.bytecode.magic import Magic
    from pycache_guard.bytecode.pyc import Pyc
    from pycache_guard.bytecode.stores import BytecodeStore, FoundSource
    from pycache_guard.interpreters.pool import CompilerPool
    from pycache_guard.interpreters.process import CompileResult, CompilerProcess

    #: A target and the optimization level of the comparison.
    ComparisonAttempt = tuple["Target", int]
    #: A magic number and a tag in lower case.
    Group = tuple[Magic, str]
    from pycache_guard.bytecode.code_diff import Difference


class Target:
    """A file whose header is well-formed, with a source to compare it with."""

    __slots__ = ("comparison", "digest", "header", "name", "path", "pyc", "source")

    def __init__(self, path: str, name: CacheName, header: Header, source: FoundSource) -> None:
        self.path = path
        self.name = name
        self.header = header
        self.source = source
        #: Read for a comparison and dropped after it: it holds the whole tree of code.
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

    def compare_all(self, targets: Iterable[Target]) -> Generator[Target, None, None]:
        """Yield each target once its result is final, grouped by interpreter.

        The group of the first target is compared while the others are found. A file that cannot be read
        becomes a failure of the store and is not yielded.
        """
        groups: dict[Group, list[Target]] = {}
        coming = iter(targets)
        first = next(coming, None)
        if first is None:
            return
        group = group_of(first)
        yield from self._compare_group(group, keep_apart(chain([first], coming), group, groups))
        for group, others in sorted(groups.items()):
            yield from self._compare_group(group, others)

    def _compare_group(self, group: Group, targets: Iterable[Target]) -> Iterator[Target]:
        """Compare the files of one magic number and tag with one compiler after the other."""
        left = targets
        for process in self._compilers.for_magic(*group):
            asked, left = left, []
            yield from self._compare_with(process, asked, left)
            if not left:
                break
        yield from left

    def _compare_with(
        self, process: CompilerProcess, targets: Iterable[Target], left: list[Target]
    ) -> Iterator[Target]:
        """Compare with one compiler, by level. Yield targets with a final result; put the others into `left`."""
        higher: list[ComparisonAttempt] = []
        attempts: Iterable[ComparisonAttempt] = lowest_level_first(targets, higher)
        compiler: ParallelCompiler[ComparisonAttempt] = ParallelCompiler(process)
        with compiler:
            while True:
                for (target, level), answer in compiler.compile_all(self._read_jobs(attempts)):
                    record_result(target, process, answer, level)
                    later = [other for other in target.levels() if other > level]
                    if target.comparison.result is ComparisonResult.SAME:
                        yield target
                    elif later:
                        higher.append((target, later[0]))
                    else:
                        left.append(target)
                    target.pyc = None
                if not higher:
                    break
                # By level, because Python 2 is restarted for each.
                attempts, higher = sorted(higher, key=itemgetter(1)), []

    def _read_jobs(self, attempts: Iterable[ComparisonAttempt]) -> Iterator[Job[ComparisonAttempt]]:
        """Yield a job for each attempt whose files can be read."""
        for target, level in attempts:
            try:
                target.pyc = target.pyc or read_pyc(self._store.read(target.path))
                source = target.source.source.read()
            except Failure as failure:
                self._store.failures.append(str(failure))
            except InvalidHeader:
                self._store.failures.append(f"{target.path}: changed while it was read")
            else:
                yield Job((target, level), source, level, len(source) + len(target.pyc.data))


def group_of(target: Target) -> Group:
    """Return what decides which compilers a target is compared with: its magic number and its tag."""
    return target.header.magic, target.name.tag.lower()


def keep_apart(
    targets: Iterable[Target], group: Group, others: dict[Group, list[Target]]
) -> Iterator[Target]:
    """Yield the targets of one group, and put those of the others into `others`."""
    for target in targets:
        if group_of(target) == group:
            yield target
        else:
            others.setdefault(group_of(target), []).append(target)


def lowest_level_first(
    targets: Iterable[Target], higher: list[ComparisonAttempt]
) -> Iterator[ComparisonAttempt]:
    """Yield the targets whose lowest level is 0, and put the others into `higher`."""
    for target in targets:
        level = target.levels()[0]
        if level:
            higher.append((target, level))
        else:
            yield target, level


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
