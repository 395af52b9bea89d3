"""Prove, or complete, the ignore file of every build context."""

from __future__ import annotations

import os

from pycache_guard.bytecode.probes import ADVISED
from pycache_guard.bytecode.probes import DOCKER_PATTERNS
from pycache_guard.bytecode.probes import lines_for
from pycache_guard.errors import Failure
from pycache_guard.findings import Finding
from pycache_guard.findings import Rule
from pycache_guard.git.repository import work_tree
from pycache_guard.ignorefiles.dockerignore import RefusedLine
from pycache_guard.ignorefiles.gitignore import completed
from pycache_guard.ignorefiles.gitignore import wide_encoding
from pycache_guard.ignoring.contexts import Contexts
from pycache_guard.ignoring.docker import findings
from pycache_guard.ignoring.docker import gaps
from pycache_guard.ignoring.docker import unreadable
from pycache_guard.ignoring.mending import Mending
from pycache_guard.ignoring.modules import Tracked
from pycache_guard.ignoring.modules import tracked
from pycache_guard.repair import held_by
from pycache_guard.repair import replaceable
from pycache_guard.repair import rewrite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Sequence

    from pycache_guard.git.index import Index
    from pycache_guard.ignoring.contexts import Build
    from pycache_guard.ignoring.proof import Gap

INSIDE_CACHES = b"**/__pycache__/**"


class Proof:
    """The proof for the builds of an index."""

    def __init__(self, index: Index, kinds: Sequence[str]) -> None:
        self._top = work_tree()
        self._kinds = kinds
        self._contexts = Contexts(index)
        #: Names of modules by directory; a directory with bytecode that is tracked, and no module,
        #: has an empty list.
        self._modules = tracked(index).modules
        for directory in self._contexts.directories_with_bytecode():
            self._modules.setdefault(directory, [])
        self._failures = self._contexts.failures

    def builds(self, contexts: Sequence[str]) -> list[Build]:
        """Return the builds in directories, as seen from the current one; in all if none is named.

        Raises `Failure` for one that is not in the repository, or that git has nothing in.
        """
        if not contexts:
            return self._contexts.everywhere()
        return self._contexts.named([self._from_top(context) for context in contexts])

    def each(
        self, builds: Iterable[Build], judge: Callable[[Build], list[Finding]]
    ) -> tuple[list[Finding], list[str]]:
        """Return what `prove` or `complete` says of builds, and what could not be judged, each once.

        Of one ignore file in two contexts the same may be said.
        """
        found: list[Finding] = []
        for build in builds:
            try:
                found += judge(build)
            except Failure as failure:
                self._failures.append(str(failure))
        return [*dict.fromkeys(found)], [*dict.fromkeys(self._failures)]

    def prove(self, build: Build) -> list[Finding]:
        """Return what lets bytecode into a context, by the ignore file in the index."""
        content = self._contexts.content(build.ignore_file)
        return self._explained(build, content)

    def complete(self, build: Build) -> list[Finding]:
        """Append what is missing to the ignore file on disk; return what was done, and what is left.

        It is written only if less gets into the context then. Raises `Failure` where the file cannot
        be replaced.
        """
        content = self._contexts.content(build.ignore_file)
        if not self._gaps(build, content):
            return []
        path = os.path.join(self._top, os.fsdecode(build.ignore_file))
        on_disk = present(path)
        old = content if on_disk is None else on_disk
        open_now = self._gaps(build, old)
        patterns = self._closing(build, old, open_now)
        new = completed(old or b"", patterns)
        if len(self._gaps(build, new)) == len(open_now):  # complete, but not staged
            return self._explained(build, content)
        rewrite(path, on_disk, new)
        added = ", ".join(f"`{pattern.decode('ascii')}`" for pattern in patterns)
        stage = self._mending(build, new).stage(build.ignore_file)
        done = Finding(os.fsdecode(build.ignore_file), Rule.PYC301, f"added {added}", stage)
        return [done, *self._explained(build, new)]

    def _explained(self, build: Build, content: bytes | None) -> list[Finding]:
        left = self._gaps(build, content)
        if not left:
            return []
        mending = self._mending(build, content)
        encoding = wide_encoding(content or b"")
        if encoding:
            return [unreadable(build, encoding, mending.to_text(build.ignore_file, encoding))]
        patterns = [pattern.decode("ascii") for pattern in self._closing(build, content, left)]
        return findings(build, content, left, mending.append(build.ignore_file, patterns))

    def _closing(self, build: Build, content: bytes | None, open_now: list[Gap]) -> list[bytes]:
        """Return the patterns that close gaps."""
        # What is only advisable is completed together with what is required.
        every = self._kinds if not open_now else [*self._kinds, *ADVISED]
        kinds = {gap.kind for gap in self._gaps_of(build, content, every)}
        patterns = lines_for(kinds, DOCKER_PATTERNS)
        after = completed(content or b"", patterns)
        left = {gap.kind for gap in self._gaps(build, after)}
        # What takes back in files, but not the directory that is excluded already, is only undone
        # by a pattern for the files: one that changes nothing is not asked about the directory.
        return [*patterns, INSIDE_CACHES] if "cache" in left else patterns

    def _gaps(self, build: Build, content: bytes | None) -> list[Gap]:
        return self._gaps_of(build, content, self._kinds)

    def _gaps_of(self, build: Build, content: bytes | None, kinds: Sequence[str]) -> list[Gap]:
        try:
            return gaps(build, content, self._modules, kinds)
        except RefusedLine as why:
            name = os.fsdecode(build.ignore_file)
            raise Failure(
                f"{name}:{why.line}: Docker builds nothing with this line: {why}"
            ) from None

    def _mending(self, build: Build, content: bytes | None) -> Mending:
        rules = {} if content is None else {build.ignore_file: content}
        return Mending(Tracked({}, rules, {}, {}), self._top)

    def _from_top(self, context: str) -> bytes:
        path = os.path.relpath(os.path.realpath(context), os.path.realpath(self._top))
        parts = path.split(os.sep)
        if parts[0] == os.pardir:
            raise Failure(f"{context}: lies outside the repository")
        return os.fsencode("/".join(part for part in parts if part != os.curdir))


def present(path: str) -> bytes | None:
    """Return what the file holds, `None` where it is not on disk. Raises `Failure` if it is no text."""
    content = held_by(path) if replaceable(path) else None
    encoding = wide_encoding(content or b"")
    if encoding:
        raise Failure(
            f"{path}: is {encoding}, of which Docker reads no pattern: make it UTF-8 first"
        )
    return content
