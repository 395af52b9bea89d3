"""Decide for each module of a zip file whether the target uses its bytecode: the rules of `zipimport`.

Source: CPython `Lib/zipimport.py`, `_zip_searchorder`, `_unmarshal_code`, `_eq_mtime`,
`_get_mtime_and_size_of_source`; the same from 3.8 to 3.13, and those of the C module before. It knows
neither `__pycache__` nor optimization levels, compares times to one second, and writes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycache_guard.bundle.judge import (
    HeaderVerdict,
    Judgement,
    ModuleVerdict,
    State,
    StrayFile,
    cache_name,
    describe_magic,
    judge_body,
    judge_freshness,
    mode_of,
)
from pycache_guard.bundle.members import local_time
from pycache_guard.bytecode.cache_names import CACHE
from pycache_guard.bytecode.header import InvalidHeader, SourceHash, Timestamp, parse_header
from pycache_guard.bytecode.magic import identify_magic
from pycache_guard.findings import Rule

if TYPE_CHECKING:
    from pycache_guard.bundle.members import ArchiveTree
    from pycache_guard.bundle.target import Target
    from pycache_guard.bytecode.header import Header

#: What `zipimport` unpacks (APPNOTE 4.4.5): stored and deflated members.
_METHODS = (0, 8)
_IN_CACHE = "zipimport does not look into `__pycache__`"


def judge_zip(tree: ArchiveTree, target: Target, level: int) -> Judgement:
    """Judge every module of a zip file that is on the path of the target."""
    result = Judgement()
    _hash_sources(tree, target)
    for directory in sorted(tree.folders):
        _ZipFolderJudge(tree, target, level, directory, result).judge()
    return result


def _hash_sources(tree: ArchiveTree, target: Target) -> None:
    """Have the sources hashed that a checked hash is compared with."""
    wanted = []
    for directory, folder in tree.folders.items():
        for name in folder.files:
            path = f"{directory}/{name}" if directory else name
            if name.endswith(".pyc") and name[:-1] in folder.files:
                head = tree.head(path)
                magic = identify_magic(head)
                if magic is not None and head[:4] in target.magics and head[4:5] == b"\3":
                    wanted.append((path[:-1], magic))
    tree.hash_sources(wanted)


class _ZipFolderJudge:
    """Judges the modules of one directory in a zip file."""

    def __init__(
        self, tree: ArchiveTree, target: Target, level: int, directory: str, result: Judgement
    ) -> None:
        self._tree = tree
        self._target = target
        self._level = level
        self._result = result
        self._folder = tree.folders[directory]
        self._before = f"{directory}/" if directory else ""

    def judge(self) -> None:
        """Judge each module, then the caches, which are of no use."""
        cached = set(self._folder.caches)
        stems = {
            name.rpartition(".")[0] for name in self._folder.files if name.endswith((".py", ".pyc"))
        }
        for stem in sorted(stems):
            self._judge_module(stem, cached)
        for name in sorted(self._folder.files):
            if name.endswith((".pyo", "$py.class")):
                self._stray(self._before + name, "Python 3.5 and later do not use such a file")
        for name in sorted(cached):
            if name.endswith((".pyc", ".pyo")):
                self._stray(f"{self._before}{CACHE}/{name}", _IN_CACHE)

    def _stray(self, path: str, why: str) -> None:
        self._result.strays.append(StrayFile(path, Rule.PYC321, "place", why))

    def _judge_module(self, stem: str, cached: set[str]) -> None:
        base = self._before + stem
        source = f"{base}.py" if self._tree.packed(f"{base}.py") else None
        bytecode = f"{base}.pyc" if self._tree.packed(f"{base}.pyc") else None
        path = source or bytecode
        assert path is not None
        add = self._result.modules.append
        package = [
            name for name in ("__init__.pyc", "__init__.py") if self._tree.packed(f"{base}/{name}")
        ]
        if package:
            if bytecode:
                why = f"the package `{stem}` comes first"
                add(ModuleVerdict(path, State.NEVER_USED, bytecode, "shadowed", why))
            return
        if bytecode:
            found = self._judge_bytecode(bytecode, source)
            state = State.USED if found.is_used else State.NEVER_USED
            is_compiled = not (found.is_used or found.breaks_import) and source is not None
            verdict = ModuleVerdict(
                path, state, bytecode, found.cause, found.why, found.mode, is_compiled
            )
            add(verdict)
            if found.is_used and found.mode == "unchecked-hash":
                self._result.unchecked.append(verdict)
            return
        cache = cache_name(f"{stem}.py", self._target, self._level)
        if cache in cached:
            cached.discard(cache)
            where = f"{self._before}{CACHE}/{cache}"
            add(ModuleVerdict(path, State.NEVER_USED, where, "place", _IN_CACHE, is_compiled=True))
        elif "." not in stem:
            add(ModuleVerdict(path, State.MISSING, is_compiled=True))

    def _judge_bytecode(self, path: str, source: str | None) -> HeaderVerdict:
        """Return whether `zipimport` uses a file, for the source next to it if there is one."""
        packed = self._tree.packed(path)
        assert packed is not None
        if packed.method not in _METHODS:
            why = "zipimport cannot unpack how it is compressed, so that import fails"
            return HeaderVerdict(False, "malformed", why, breaks_import=True)
        head = packed.head
        if head[:4] not in self._target.magics:
            cause, why = describe_magic(head, self._target)
            return HeaderVerdict(False, cause, why, breaks_import=source is None)
        try:
            header = parse_header(head)
        except InvalidHeader as error:
            # Unlike the import of files, `zipimport` lets the EOFError of a short header pass.
            why = f"it is not well-formed ({error})"
            breaks = source is None or len(head) < 16
            return HeaderVerdict(False, "malformed", why, breaks_import=breaks)
        return judge_body(head, self._judge_time(header, source))

    def _judge_time(self, header: Header, source: str | None) -> HeaderVerdict:
        if source is None:
            return HeaderVerdict(True)
        if isinstance(header.validation, SourceHash):
            return judge_freshness(header, self._tree.source(source), self._tree.digest(source))
        stamp = header.validation
        packed = self._tree.packed(source)
        assert isinstance(stamp, Timestamp)
        assert packed is not None
        assert packed.dos_time is not None
        time = local_time(packed.dos_time)
        if not stamp.has_size(packed.size):
            why = f"the source is {packed.size} bytes; it was {stamp.source_size} when this was compiled"
            return HeaderVerdict(False, "size", why, "timestamp")
        if abs(stamp.mtime - time) > 1:
            why = "the time of the source in the zip file differs by more than a second"
            return HeaderVerdict(False, "time", why, "timestamp")
        return HeaderVerdict(True, mode=mode_of(header))
