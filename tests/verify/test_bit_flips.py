"""Each single bit of a file changed: what we take for its source's, the interpreter loads as equal code.

The oracle is the marshal of each interpreter on this machine; `ORACLE_PYTHONS` names others, separated
as in PATH.
"""

from __future__ import annotations

import os
import random
import shutil
from typing import TYPE_CHECKING, NamedTuple

import pytest
from fuzz.mutations import mutate
from fuzz.targets.bytecode import TYPES

from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.bytecode.pyc import read_pyc
from pycache_guard.interpreters.pool import find_candidates
from pycache_guard.interpreters.process import CompilerProcess, InterpreterUnusable, Limits
from pycache_guard.verify.compare import ComparisonResult, compare_code
from verify.oracle import Oracle
from verify.small_modules import MODULES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Of all bits in the default run, and of all mutations.
STRIDE = 37
SAMPLE = 150
#: What the oracle may answer where we say this.
ALLOWED = {ComparisonResult.SAME: "=", ComparisonResult.LINES_DIFFER: "l"}


def executables() -> list[str]:
    """Return one executable of each version on this machine, and those that the variable names."""
    own = os.environ.get("ORACLE_PYTHONS", "")
    if own:
        return own.split(os.pathsep)
    found: dict[str, str] = {}
    for path in find_candidates("0"):
        parts = path.split(os.sep)
        if "versions" in parts:
            found.setdefault(parts[parts.index("versions") + 1], path)
    return sorted(found.values())


class Pair(NamedTuple):
    """What a compiler makes of a module, twice: as we have it compiled, and as import writes it."""

    name: bytes
    expected: bytes
    head: bytes
    honest: bytes


class Python(NamedTuple):
    """One interpreter, and its files."""

    title: str
    oracle: Oracle
    pairs: dict[str, Pair]


@pytest.fixture(scope="module", params=executables() or [""])
def python(request: pytest.FixtureRequest) -> Iterator[Python]:
    executable: str = request.param
    if not shutil.which(executable):
        pytest.skip("no interpreters in the usual places")
    try:
        compiler = CompilerProcess(executable, Limits())
    except InterpreterUnusable:
        pytest.skip(f"{executable} does not answer")
    magic = identify_magic(compiler.interpreter.magic)
    assert magic is not None
    oracle = Oracle(executable, is_python_2=magic.version < "3")
    pairs = {}
    for name, text in MODULES.items():
        source = text.encode("ascii")
        compiler.submit(source, 0)
        code = compiler.result().code
        assert code is not None, name
        head = magic.data + bytes(magic.header_length - len(magic.data))
        pairs[name] = Pair(compiler.name, code, head, oracle.compiled(source))
    compiler.close()
    yield Python(compiler.interpreter.title, oracle, pairs)
    oracle.close()


def check(python: Python, pair: Pair, changed: Iterable[bytes]) -> dict[ComparisonResult, int]:
    """Compare each of `changed` with what is expected; ask the oracle where we take it for the same."""
    counts = dict.fromkeys(ComparisonResult, 0)
    for found in changed:
        result = compare_code(read_pyc(pair.head + found), pair.expected, pair.name).result
        counts[result] += 1
        if result in ALLOWED:
            answer = python.oracle.compare(pair.expected, found)
            assert answer == ALLOWED[result], (python.title, result, found.hex())
    return counts


def flipped(data: bytes, stride: int) -> Iterator[bytes]:
    """Yield `data` with one bit changed, for every `stride`th bit."""
    for bit in range(0, 8 * len(data), stride):
        yield data[: bit // 8] + bytes([data[bit // 8] ^ 1 << bit % 8]) + data[bit // 8 + 1 :]


def mutations(pair: Pair, count: int) -> Iterator[bytes]:
    """Yield the honest file with some bytes changed, moved, removed or added."""
    chance = random.Random(pair.honest)
    for _ in range(count):
        yield mutate(pair.honest, chance, TYPES)


def test_oracle_with_matching_and_other_files_agrees(python: Python) -> None:
    for name, pair in python.pairs.items():
        assert sum(check(python, pair, [pair.honest]).values()) == 1
        for other, theirs in python.pairs.items():
            assert python.oracle.compare(pair.expected, theirs.honest) == (
                "=" if name == other else "d"
            )
    assert python.oracle.compare(pair.expected, pair.honest[:-1]) == "x"


@pytest.mark.unmeasured
def test_bit_flips_in_sample_are_detected(python: Python) -> None:
    for pair in python.pairs.values():
        counts = check(python, pair, flipped(pair.honest, STRIDE))
        assert (
            counts[ComparisonResult.DIFFERENT] + counts[ComparisonResult.UNKNOWN]
            > len(pair.honest) // STRIDE
        )


def test_mutations_in_sample_are_detected(python: Python) -> None:
    for pair in list(python.pairs.values())[::5]:
        check(python, pair, mutations(pair, SAMPLE))


@pytest.mark.slow
def test_bit_flips_everywhere_are_detected(python: Python) -> None:
    total = dict.fromkeys(ComparisonResult, 0)
    for pair in python.pairs.values():
        counts = check(python, pair, flipped(pair.honest, 1))
        # The bits of a name that is written once, and whether a text is interned.
        assert counts[ComparisonResult.SAME] < 200
        total = {result: total[result] + counts[result] for result in ComparisonResult}
    flips, same, lines = (
        sum(total.values()),
        total[ComparisonResult.SAME],
        total[ComparisonResult.LINES_DIFFER],
    )
    print(
        f"{python.title}: {flips} flips, {same} same, {lines} other lines, {python.oracle.crashes} crashes"
    )


@pytest.mark.slow
def test_mutations_in_large_number_are_detected(python: Python) -> None:
    for pair in python.pairs.values():
        check(python, pair, mutations(pair, 3000))
