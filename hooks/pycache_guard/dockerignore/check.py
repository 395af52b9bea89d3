"""Check and complete the ignore files of Docker build contexts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pycache_guard.bytecode.probes import (
    DOCKER_PATTERNS,
    UNTRACKED_DIR,
    UNTRACKED_MODULE,
    describe_advice,
    probe_paths,
)
from pycache_guard.dockerignore.contexts import ContextFinder
from pycache_guard.dockerignore.names import join
from pycache_guard.dockerignore.patterns import Dockerignore, InvalidLine
from pycache_guard.dockerignore.values import encode_path
from pycache_guard.errors import Failure
from pycache_guard.findings import Finding, Rule
from pycache_guard.fs.atomic import rewrite_atomic
from pycache_guard.git.repository import require_toplevel
from pycache_guard.gitignore.explain import describe_paths, group_by
from pycache_guard.gitignore.fix import complete_ignore_file, read_ignore_file
from pycache_guard.gitignore.fix_commands import FixCommands
from pycache_guard.gitignore.patterns import (
    bytecode_component,
    detect_utf16_32,
    has_comment,
    has_several_patterns,
    is_miscased,
    lines_about_bytecode,
)
from pycache_guard.gitignore.project import Project, read_project
from pycache_guard.gitignore.proof import UnignoredPath

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pycache_guard.bytecode.probes import ProbeChoice
    from pycache_guard.dockerignore.contexts import BuildContext
    from pycache_guard.git.index import Index
    from pycache_guard.gitignore.fix import Completion


def common_mistakes(content: bytes, samples: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """Yield number, text and mistake of each line that was written for bytecode and has no effect.

    Such a line excludes none of `samples`, paths below the top of the context. `Dockerignore` must
    accept `content`.
    """
    for number, line in lines_about_bytecode(content):
        if not any(map(Dockerignore(line).excludes, samples)):
            yield number, line.decode("utf-8").strip(), _explain_mistake(line.strip())


def _explain_mistake(line: bytes) -> str:
    """Return the mistake in a line."""
    return next((why for applies, why in _MISTAKES if applies(line)), _ROOTED)


_ROOTED = "patterns start at the context, unlike in git; `**/` in front matches at every depth"

#: In this order: whether it applies, and the words.
_MISTAKES: tuple[tuple[Callable[[bytes], bool], str], ...] = (
    (has_comment, "a comment must have a line of its own"),
    (lambda p: p[:1] in b"\"'`" or p[-1:] in b"\"'`", "quotes are part of the pattern"),
    (has_several_patterns, "a line holds one pattern"),
    (
        lambda p: any(c in bytecode_component(p) for c in b"{|("),
        "Docker has no alternatives; write `**/*.py[co]`",
    ),
    (lambda p: b"[!" in p, "`[!` does not negate a class; write `[^`"),
    (lambda p: b"\\" in p, "a backslash escapes; write `/` between directories"),
    (lambda p: b"pycache" in p and b"__pycache__" not in p, "the directory is `__pycache__`"),
    (
        lambda p: bytecode_component(p).startswith(b".py"),
        "it matches one file name; write `**/*.pyc`",
    ),
    (is_miscased, "matching is case-sensitive; use lower case"),
)

#: Two paths below the top of any context.
_SAMPLES = [
    os.fsdecode(next(probe_paths(kind, UNTRACKED_DIR, UNTRACKED_MODULE)))
    for kind in ("cache", "legacy")
]


def find_unignored(
    build: BuildContext,
    content: bytes | None,
    modules: Mapping[bytes, Sequence[bytes]],
    kinds: Sequence[str],
) -> list[UnignoredPath]:
    """Return the probes of `kinds` that Docker would send, under the ignore file `content`.

    The probes are the modules below the context, and an invented name in each of their
    directories, at the top of the context and in a directory that does not exist, as far as the
    Dockerfile copies them. A context without Python has no gap, unless bytecode in it is tracked.
    Raises `InvalidLine`.
    """
    rules = Dockerignore(b"" if content is None or detect_utf16_32(content) else content)
    start = join(build.context, b"")
    names = {
        directory[len(start) :]: [UNTRACKED_MODULE, *found]
        for directory, found in modules.items()
        if join(directory, b"").startswith(start)
    }
    if not names:
        return []
    copied = [encode_path(pattern) for pattern in build.sources.concrete()]
    holding = [c for c in copied if any((d + b"/").startswith(c + b"/") for d in names)]
    for directory in (b"", UNTRACKED_DIR, *(join(parent, UNTRACKED_DIR) for parent in holding)):
        names.setdefault(directory, [UNTRACKED_MODULE])
    return [
        gap
        for kind in kinds
        for directory, found in names.items()
        for name in found
        for probe in probe_paths(kind, directory, name)
        if build.sources.covers(os.fsdecode(probe))
        if (gap := _unignored_at(build, rules, kind, directory, probe))
    ]


def _unignored_at(
    build: BuildContext, rules: Dockerignore, kind: str, directory: bytes, probe: bytes
) -> UnignoredPath | None:
    """Return the gap for a probe, relative to the context; `None` if the probe is excluded."""
    excluded, pattern = rules.match(probe.decode("utf-8", "surrogateescape"))
    if excluded:
        return None
    whole = join(build.context, probe)
    if pattern is None:
        return UnignoredPath(kind, directory, whole, b"", b"", b"")
    return UnignoredPath(
        kind, directory, whole, build.ignore_file, b"%d" % pattern.line, pattern.text
    )


def to_findings(
    build: BuildContext, content: bytes | None, left: Sequence[UnignoredPath], remedy: str
) -> list[Finding]:
    """Return the findings (PYC301) for the unignored paths `left` of a build."""
    name = os.fsdecode(build.ignore_file)
    taken = f"the build context {os.fsdecode(build.context) or '.'} includes"
    if content is None:
        words = f"the file does not exist, and {taken} {{}}"
    else:
        words = f"{taken} {{}}, which no pattern excludes"
    silent = group_by([gap for gap in left if not gap.pattern], lambda gap: gap.kind.encode())
    found = [
        Finding(name, Rule.PYC301, words.replace("{}", describe_paths(g)), remedy)
        for _, g in silent
    ]
    negated = [gap for gap in left if gap.pattern]
    for (_, line, text), group in group_by(negated, lambda gap: (gap.file, gap.line, gap.pattern)):
        message = f"`{os.fsdecode(text)}` re-includes bytecode: {describe_paths(group)}"
        found.append(Finding(name, Rule.PYC301, message, remedy, line=int(line)))
    for number, inert, fault in common_mistakes(content or b"", _SAMPLES):
        message = f"`{inert}` excludes no bytecode below the top of the context: {fault}"
        found.append(Finding(name, Rule.PYC301, message, remedy, line=number))
    return found


def unreadable_finding(build: BuildContext, encoding: str, remedy: str) -> Finding:
    """Return the finding (PYC301) for an ignore file in an encoding that Docker does not read."""
    words = f"is {encoding}; Docker cannot read patterns in it"
    return Finding(os.fsdecode(build.ignore_file), Rule.PYC301, words, remedy)


PYCACHE_CONTENTS = b"**/__pycache__/**"


class DockerignoreChecker:
    """Checks and completes the ignore files of the builds in an index."""

    def __init__(self, index: Index, probes: ProbeChoice) -> None:
        self._top = require_toplevel()
        self._probes = probes
        self._contexts = ContextFinder(index)
        #: Names of modules by directory; empty for a directory with tracked bytecode and no module.
        self._modules = read_project(index).modules
        for directory in self._contexts.directories_with_bytecode():
            self._modules.setdefault(directory, [])
        self._failures = self._contexts.failures

    def builds(self, contexts: Sequence[str]) -> list[BuildContext]:
        """Return the builds in `contexts`, relative to the current directory; all builds if it is empty.

        Raises `Failure` for a context outside the repository or without tracked files.
        """
        if not contexts:
            return self._contexts.all_builds()
        return self._contexts.builds_in([self._from_top(context) for context in contexts])

    def for_each_build(
        self, builds: Iterable[BuildContext], check: Callable[[BuildContext], list[Finding]]
    ) -> tuple[list[Finding], list[str]]:
        """Return the findings of `check`, which is `self.check` or `self.fix`, and the failures, each once.

        Two contexts with one ignore file can have equal findings.
        """
        found: list[Finding] = []
        for build in builds:
            try:
                found += check(build)
            except Failure as failure:
                self._failures.append(str(failure))
        return [*dict.fromkeys(found)], [*dict.fromkeys(self._failures)]

    def check(self, build: BuildContext) -> list[Finding]:
        """Return the findings for a context, by the ignore file in the index."""
        content = self._contexts.content(build.ignore_file)
        return self._explained(build, content)

    def fix(self, build: BuildContext) -> list[Finding]:
        """Append the missing patterns to the ignore file on disk; return that, and the findings left.

        The file is written only if that excludes more probes. Raises `Failure` if it cannot be
        replaced.
        """
        content = self._contexts.content(build.ignore_file)
        if not self._unignored(build, content):
            return []
        name = os.fsdecode(build.ignore_file)
        path = os.path.join(self._top, name)
        on_disk = read_ignore_file(path, name, "Docker")
        completion = self._complete(build, content if on_disk is None else on_disk)
        if not completion.is_effective:  # complete, but not staged
            return self._explained(build, content)
        rewrite_atomic(path, on_disk, completion.content)
        added = ", ".join(f"`{pattern.decode('ascii')}`" for pattern in completion.patterns)
        stage = self._fix_commands(build, completion.content).stage(build.ignore_file)
        done = Finding(name, Rule.PYC301, f"added {added}", stage, is_fixed=True)
        return [done, *self._explained(build, completion.content)]

    def _explained(self, build: BuildContext, content: bytes | None) -> list[Finding]:
        left = self._unignored(build, content)
        if not left:
            return []
        commands = self._fix_commands(build, content)
        encoding = detect_utf16_32(content or b"")
        if encoding:
            return [
                unreadable_finding(
                    build, encoding, commands.convert_to_utf8(build.ignore_file, encoding)
                )
            ]
        patterns = [pattern.decode("ascii") for pattern in self._complete(build, content).patterns]
        return to_findings(build, content, left, commands.append(build.ignore_file, patterns))

    def advise(self, builds: Iterable[BuildContext]) -> tuple[str, ...]:
        """Return a sentence for each ignore file that lacks recommended patterns."""
        kinds: dict[str, set[str]] = {}
        for build in builds if self._probes.advised else ():
            content = self._contexts.content(build.ignore_file)
            gaps = self._gaps_of(build, content, self._probes.advised)
            name = os.fsdecode(build.ignore_file)
            kinds.setdefault(name, set()).update(gap.kind for gap in gaps)
        sentences = (describe_advice(found, name, DOCKER_PATTERNS) for name, found in kinds.items())
        return tuple(filter(None, sentences))

    def _complete(self, build: BuildContext, content: bytes | None) -> Completion:
        """Return an ignore file completed for every kind of probe, recommended ones included."""
        every = (*self._probes.required, *self._probes.advised)
        # A pattern that re-includes files of an excluded directory is undone only by a pattern for
        # the files: Docker does not apply one that changes nothing for the directory.
        return complete_ignore_file(
            content or b"",
            lambda c: self._gaps_of(build, c, every),
            DOCKER_PATTERNS,
            cache_contents=PYCACHE_CONTENTS,
        )

    def _unignored(self, build: BuildContext, content: bytes | None) -> list[UnignoredPath]:
        return self._gaps_of(build, content, self._probes.required)

    def _gaps_of(
        self, build: BuildContext, content: bytes | None, kinds: Sequence[str]
    ) -> list[UnignoredPath]:
        try:
            return find_unignored(build, content, self._modules, kinds)
        except InvalidLine as why:
            name = os.fsdecode(build.ignore_file)
            raise Failure(
                f"{name}:{why.line}: Docker rejects this line, so the build fails: {why}"
            ) from None

    def _fix_commands(self, build: BuildContext, content: bytes | None) -> FixCommands:
        rules = {} if content is None else {build.ignore_file: content}
        return FixCommands(Project({}, rules, {}, {}), self._top)

    def _from_top(self, context: str) -> bytes:
        path = os.path.relpath(os.path.realpath(context), os.path.realpath(self._top))
        parts = path.split(os.sep)
        if parts[0] == os.pardir:
            raise Failure(f"{context}: is outside the repository")
        return os.fsencode("/".join(part for part in parts if part != os.curdir))
