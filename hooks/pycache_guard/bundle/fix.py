"""Give each module of a directory bytecode that its target uses.

Code that is proved to be its source's keeps its bytes and gets the expected header; all else is compiled
by the interpreter of the target, which never runs it. The same input gives the same bytes: the code has the
path of the destination and no other, and `normalize_references` removes what depends on the process.
"""

from __future__ import annotations

import os
import posixpath
import struct
from typing import TYPE_CHECKING

from pycache_guard.bundle.judge import State, cache_name
from pycache_guard.bundle.proof import find_compiler
from pycache_guard.bytecode.cache_names import CACHE, parse_cache_name
from pycache_guard.bytecode.code_object import marshal_format
from pycache_guard.bytecode.header import CHECK_SOURCE, HASH_BASED, InvalidHeader
from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.bytecode.marshal_scalars import MarshalError
from pycache_guard.bytecode.pyc import read_pyc
from pycache_guard.bytecode.tampering import file_names
from pycache_guard.bytecode.unmarshal import normalize_references
from pycache_guard.errors import Failure
from pycache_guard.findings import Finding, Rule
from pycache_guard.fs.atomic import read_if_exists, rewrite_atomic
from pycache_guard.verify.compare import ComparisonResult, compare_code

if TYPE_CHECKING:
    from collections.abc import Callable

    from pycache_guard.bundle.check import Repair
    from pycache_guard.bundle.judge import Judgement, ModuleVerdict
    from pycache_guard.bundle.proof import Compilers
    from pycache_guard.bundle.target import Target
    from pycache_guard.bundle.tree import DiskTree
    from pycache_guard.interpreters.process import CompileResult, CompilerProcess

_U32 = 0xFFFF_FFFF
#: The flags of each invalidation mode (PEP 552).
_FLAGS = {"checked-hash": HASH_BASED | CHECK_SOURCE, "unchecked-hash": HASH_BASED}


def fix_directory(
    tree: DiskTree,
    target: Target,
    level: int,
    judgement: Judgement,
    repair: Repair,
    compilers: Compilers,
) -> list[Finding]:
    """Write what is missing, stale or in another mode, and remove what is foreign; return what was done.

    Raises `Failure` if this machine has no interpreter of the target.
    """
    process = find_compiler(target, compilers)
    if process is None:
        raise Failure(
            f"no {target.title} is on this machine, which has to compile; pass one with --python"
        )
    fixer = _Fixer(tree, target, level, repair, process)
    done = [found for module in judgement.modules for found in fixer.fix(module)]
    done += [
        found
        for stray in judgement.strays
        for found in fixer.remove_foreign(stray.path, stray.rule)
    ]
    process.close()
    return done


class _Fixer:
    """Repairs the modules of one directory."""

    def __init__(
        self,
        tree: DiskTree,
        target: Target,
        level: int,
        repair: Repair,
        process: CompilerProcess,
    ) -> None:
        self._tree = tree
        self._target = target
        self._level = level
        self._repair = repair
        self._process = process
        magic = identify_magic(process.interpreter.magic)
        dialect = magic and marshal_format(magic)
        if dialect is None:
            raise Failure(f"--fix: the code of {process.interpreter.title} cannot be read")
        self._dialect = dialect
        #: The sources that have bytecode of the target now.
        self._fixed: set[str] = set()

    def fix(self, module: ModuleVerdict) -> list[Finding]:
        """Give a module its bytecode. Failures go into those of the tree."""
        if not module.path.endswith(".py") or module.cause == "shadowed":
            return []
        directory, _, name = module.path.rpartition("/")
        cache = cache_name(name, self._target, self._level)
        where = posixpath.join(directory, CACHE, cache)
        words = self._attempt(where, lambda: self._fix(module.path, where))
        if words is None:
            return []
        self._fixed.add(module.path)
        if not words:
            return []
        rule = Rule.PYC321
        if module.state is State.MISSING:
            rule = Rule.PYC322
        elif module.state is State.USED:
            rule = Rule.PYC203 if module.mode == "unchecked-hash" else Rule.PYC324
        return [Finding(self._tree.show(where), rule, words, is_fixed=True)]

    def remove_foreign(self, path: str, rule: Rule) -> list[Finding]:
        """Remove bytecode of another Python if its source has some of the target now."""
        name = parse_cache_name(path)
        above = posixpath.dirname(posixpath.dirname(path))
        if rule is not Rule.PYC323 or name is None or name.is_temporary:
            return []
        if not any(posixpath.join(above, source) in self._fixed for source in name.source_names()):
            return []
        words = self._attempt(path, lambda: self._remove(path))
        return [Finding(self._tree.show(path), rule, words, is_fixed=True)] if words else []

    def _attempt(self, path: str, act: Callable[[], str | None]) -> str | None:
        """Return the result of an act on a path, None if it failed, which the tree keeps."""
        try:
            return act()
        except Failure as failure:
            self._tree.failures.append(str(failure))
        except OSError as error:
            self._tree.failures.append(f"{self._tree.show(path)}: {error.strerror or error}")
        return None

    def _remove(self, path: str) -> str:
        """Remove a file."""
        os.unlink(self._tree.locate(path))
        return "removed"

    def _compile(self, source_path: str, source: bytes, name: bytes | None = None) -> CompileResult:
        """Compile a source. Raises `Failure` if it is beyond the limits of a compiler."""
        self._process.submit(source, self._level, name)
        result = self._process.result()
        if result.code is None and not result.rejected:
            raise Failure(f"{self._tree.show(source_path)}: cannot be compiled: {result.reason}")
        return result

    def _fix(self, source_path: str, where: str) -> str | None:
        """Return what was done, empty if nothing had to be, None if the source cannot be compiled."""
        source = self._tree.read(source_path)
        compiled = self._compile(source_path, source)
        if compiled.code is None:
            return None
        assert compiled.digest is not None
        old = read_if_exists(self._tree.locate(where))
        name = self._recorded_name(source_path)
        body = self._keep_body(old, compiled.code, name) if old is not None else None
        words = f"got the header of a {self._repair.mode} file"
        if body is None:
            code = self._compile(source_path, source, name).code
            assert code is not None
            body = normalize_references(code, self._dialect)
            words = f"compiled by {self._process.interpreter.title}"
        data = self._header(source_path, compiled.digest) + body
        if data == old:
            return ""
        path = self._tree.locate(where)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        rewrite_atomic(path, old, data)
        return words

    def _header(self, source_path: str, digest: bytes) -> bytes:
        """Return the header of a file in the expected mode."""
        magic = self._process.interpreter.magic
        flags = _FLAGS.get(self._repair.mode)
        if flags is not None:
            return magic + struct.pack("<I", flags) + digest
        found = self._tree.source(source_path)
        assert found.mtime is not None
        return magic + struct.pack("<III", 0, int(found.mtime) & _U32, found.size & _U32)

    def _keep_body(self, old: bytes, code: bytes, name: bytes) -> bytes | None:
        """Return the code of the file that is there, None if it is not proved, or has another path."""
        try:
            pyc = read_pyc(old)
            if pyc.header.magic.data != self._process.interpreter.magic or pyc.trailing_bytes:
                return None
            same = compare_code(pyc, code, self._process.name)
            if same.result is not ComparisonResult.SAME:
                return None
            if self._repair.destination is not None:
                names = file_names(pyc.code)
                if names != [name.decode("utf-8", "surrogateescape")]:
                    return None
        except (InvalidHeader, MarshalError):
            return None
        return old[pyc.header.magic.header_length :]

    def _recorded_name(self, source_path: str) -> bytes:
        """Return the path for the code objects: where the source will be when it is imported."""
        destination = self._repair.destination
        if destination is None:
            return os.fsencode(os.path.abspath(self._tree.locate(source_path)))
        return os.fsencode(posixpath.join(destination, source_path))
