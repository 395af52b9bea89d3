"""Ask the compiler of the target about a bundle: which sources are valid, and which code is theirs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pycache_guard.bundle.judge import State
from pycache_guard.bytecode.freshness import Source
from pycache_guard.bytecode.header import SourceHash, parse_header
from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.bytecode.source_hash import source_hash
from pycache_guard.bytecode.stores import BytecodeStore, FoundSource
from pycache_guard.errors import Failure
from pycache_guard.findings import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pycache_guard.bundle.judge import Judgement
    from pycache_guard.bundle.target import Target
    from pycache_guard.bundle.tree import BundleTree
    from pycache_guard.interpreters.pool import CompilerPool
    from pycache_guard.interpreters.process import CompilerProcess

#: More sources without bytecode than this are not compiled to learn whether they are valid.
MAX_PROBED_SOURCES = 500


class Compilers:
    """The interpreters of this machine, looked for when one is needed: most bundles need none."""

    def __init__(self, named: Sequence[str] = ()) -> None:
        """Take the executables that the user named."""
        self._named = named
        self._pool: CompilerPool | None = None

    @property
    def pool(self) -> CompilerPool:
        """The pool of compilers. Raises `Failure` if a named one is not an interpreter."""
        if self._pool is None:
            from pycache_guard.interpreters.pool import CompilerPool  # 30 ms

            self._pool = CompilerPool(self._named, is_repeatable=True)
        return self._pool

    def close(self) -> None:
        """End every process."""
        if self._pool is not None:
            self._pool.close()


def find_compiler(target: Target, compilers: Compilers) -> CompilerProcess | None:
    """Return the interpreter of a target, None if this machine has none."""
    magic = identify_magic(target.magic)
    assert magic is not None
    return next(compilers.pool.for_magic(magic, target.tag), None)


def find_rejected(
    tree: BundleTree,
    target: Target,
    level: int,
    judgement: Judgement,
    compilers: Compilers,
) -> list[str]:
    """Return the sources without bytecode that are not valid in the Python of the target.

    Test data and templates of packages are often not: no compiler can make bytecode of them. Returns
    an empty list if there are too many to compile, or no interpreter of the target.
    """
    missing = [module.path for module in judgement.modules if module.state is State.MISSING]
    if not missing or len(missing) > MAX_PROBED_SOURCES:
        return []
    process = find_compiler(target, compilers)
    if process is None:
        return []
    skipped = tree.load(missing)
    rejected = []
    for path in (path for path in missing if path not in skipped):
        try:
            process.submit(tree.read(path), level)
        except Failure as failure:
            tree.failures.append(str(failure))
            continue
        if process.result().rejected:
            rejected.append(path)
    process.close()
    return rejected


def find_mismatches(
    tree: BundleTree, judgement: Judgement, compilers: Compilers
) -> tuple[dict[str, tuple[Rule, str]], list[str]]:
    """Compare the unchecked-hash files, which Python runs without looking at the source.

    Returns rule and message for each file that is not its source's, and the files that could not be
    compared with what the source compiles to.
    """
    pairs = {
        module.bytecode: module.path
        for module in judgement.unchecked
        if module.bytecode is not None
    }
    if not pairs:
        return {}, []
    from pycache_guard.verify.check import verify

    skipped = tree.load([path for pair in pairs.items() for path in pair])
    uncompared = [each for each, source in pairs.items() if each in skipped or source in skipped]
    for each in uncompared:
        del pairs[each]
    mismatches: dict[str, tuple[Rule, str]] = {}
    unreadable: set[str] = set()
    for bytecode, source in pairs.items():
        try:
            if _has_other_hash(tree.read(bytecode), tree.read(source)):
                why = f"its hash is not that of {source}, and Python runs it without checking"
                mismatches[bytecode] = Rule.PYC202, why
        except Failure as failure:
            tree.failures.append(str(failure))
            unreadable.add(bytecode)
    left = pairs.keys() - mismatches.keys() - unreadable
    store = PairStore(tree, {each: source for each, source in pairs.items() if each in left})
    for finding in verify(store, compilers.pool).findings:
        assert finding.path is not None
        if finding.rule is Rule.PYC205:
            uncompared.append(finding.path)
        elif finding.rule is not Rule.PYC203:
            mismatches[finding.path] = finding.rule, finding.message
    tree.failures += store.failures
    return mismatches, sorted(uncompared)


def _has_other_hash(bytecode: bytes, source: bytes) -> bool:
    header = parse_header(bytecode)
    assert isinstance(header.validation, SourceHash)
    return source_hash(source, header.magic) not in (None, header.validation.digest)


class PairStore(BytecodeStore):
    """A store of files in a bundle."""

    def __init__(self, tree: BundleTree, pairs: Mapping[str, str]) -> None:
        """Take the bytecode and its source, by their paths in the tree."""
        self.failures: list[str] = []
        self.notes: list[str] = []
        self._tree = tree
        self._pairs = pairs

    def paths(self) -> Iterator[str]:
        """Yield the bytecode."""
        yield from self._pairs

    def read(self, path: str) -> bytes:
        """Return a whole file. Raises `Failure`."""
        return self._tree.read(path)

    def source_of(self, path: str) -> FoundSource:
        """Return the source. Raises `Failure`."""
        source = self._pairs[path]
        size = len(self._tree.read(source))
        return FoundSource(source, Source(size, None, partial(self._tree.read, source)))
