"""Have sources compiled, and compare."""

from __future__ import annotations

from collections import deque

from pycache_guard.bytecode.code_layouts import dialect_of
from pycache_guard.bytecode.compare import difference
from pycache_guard.bytecode.header import InvalidHeader
from pycache_guard.bytecode.marshal_leaves import MarshalError
from pycache_guard.bytecode.marshal_reader import read_code
from pycache_guard.bytecode.pyc import read_pyc
from pycache_guard.bytecode.pyc import table_problem
from pycache_guard.bytecode.renaming import equal_ignoring_filename
from pycache_guard.errors import Failure
from pycache_guard.verifying.outcome import Outcome
from pycache_guard.verifying.outcome import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator

    from pycache_guard.bytecode.magic import Magic
    from pycache_guard.bytecode.pyc import Pyc
    from pycache_guard.compilers.pool import Compilers
    from pycache_guard.compilers.process import Answer
    from pycache_guard.compilers.process import CompilerProcess
    from pycache_guard.verifying.case import Case
    from pycache_guard.verifying.store import Store

    #: A case and the optimization level it is compared at.
    Attempt = tuple[Case, int]


class Comparing:
    """Compares cases with what compilers make of their sources."""

    def __init__(self, store: Store, compilers: Compilers) -> None:
        self._store = store
        self._compilers = compilers

    def run(self, cases: Iterable[Case]) -> Iterator[Case]:
        """Yield each case when its outcome gets no better, those of one interpreter together.

        What cannot be read is a failure of the store, and not yielded.
        """
        kinds: dict[tuple[Magic, str], list[Case]] = {}
        for case in cases:
            kinds.setdefault((case.header.magic, case.name.tag.lower()), []).append(case)
        for (magic, tag), group in sorted(kinds.items()):
            left = group
            for process in self._compilers.of(magic, tag):
                asked, left = left, []
                yield from self._ask(process, asked, left)
                if not left:
                    break
            yield from left

    def _ask(self, process: CompilerProcess, cases: list[Case], left: list[Case]) -> Iterator[Case]:
        """Compare with one compiler, level by level; yield what is settled, leave the rest in `left`."""
        # Level by level: a Python 2 is started anew for each.
        queue = deque(sorted(((c, c.levels()[0]) for c in cases), key=lambda attempt: attempt[1]))
        while queue:
            for (case, level), answer in self._answers(process, queue):
                learn(case, process, answer, level)
                later = [other for other in case.levels() if other > level]
                if case.outcome.result is Result.SAME:
                    yield case
                    case.pyc = None
                elif later:
                    queue.append((case, later[0]))
                else:
                    left.append(case)

    def _answers(
        self, process: CompilerProcess, queue: deque[Attempt]
    ) -> Iterator[tuple[Attempt, Answer]]:
        """Yield each answer while the next source is being compiled already.

        The compiler is sent a source only after its answer to the one before has been read: neither
        can wait for the other to read.
        """
        done = None
        upcoming = self._next(queue)
        while upcoming is not None:
            attempt, source = upcoming
            process.ask(source, attempt[1])
            if done is not None:
                yield done
            upcoming = self._next(queue)
            done = attempt, process.answer()
        if done is not None:
            yield done

    def _next(self, queue: deque[Attempt]) -> tuple[Attempt, bytes] | None:
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
                self._store.failures.append(f"{case.path}: was changed meanwhile")
        return None


def learn(case: Case, process: CompilerProcess, answer: Answer, level: int) -> None:
    """Keep what an answer at an optimization level tells of a case, if it is more than was known."""
    case.digest = answer.digest or case.digest
    if answer.code is None:
        result = Result.REFUSED if answer.refused else Result.UNKNOWN
        outcome = Outcome(result, reason=answer.reason)
    else:
        assert case.pyc is not None
        outcome = compared(case.pyc, answer.code, process.name)._replace(level=level)
    if outcome.result > case.outcome.result or not case.outcome.compiler:
        case.outcome = outcome._replace(compiler=process.interpreter.title)


def compared(pyc: Pyc, code: bytes, name: bytes) -> Outcome:
    """Compare a file with what a compiler made of its source, `name` being its file name there."""
    magic = pyc.header.magic
    dialect = dialect_of(magic)
    assert dialect is not None
    start = magic.header_length
    if equal_ignoring_filename(code, pyc.data, start, name, dialect):
        return Outcome(Result.SAME, exact=True)
    try:
        found = pyc.code
    except MarshalError as error:
        return Outcome(Result.UNKNOWN, reason=str(error))
    where = difference(read_code(code, 0, dialect)[0], found)
    if where is None:
        return Outcome(Result.SAME)
    if not where.only_lines:
        return Outcome(Result.DIFFERENT, difference=where)
    problem = table_problem(pyc)
    if problem:
        return Outcome(Result.DIFFERENT, reason=problem, difference=where)
    return Outcome(Result.LINES_DIFFER, difference=where)
