"""The same proof for Docker: what of the probes gets into a build context, and why."""

from __future__ import annotations

import os

from pycache_guard.bytecode.probes import INVENTED
from pycache_guard.bytecode.probes import MISSING
from pycache_guard.bytecode.probes import probes
from pycache_guard.containers.names import below
from pycache_guard.findings import Finding
from pycache_guard.findings import Rule
from pycache_guard.ignorefiles.docker_faults import faults
from pycache_guard.ignorefiles.dockerignore import Dockerignore
from pycache_guard.ignorefiles.gitignore import wide_encoding
from pycache_guard.ignoring.explain import examples
from pycache_guard.ignoring.explain import grouped
from pycache_guard.ignoring.proof import Gap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence

    from pycache_guard.ignoring.contexts import Build

#: Two paths below the top of any context.
_SAMPLES = [os.fsdecode(next(probes(kind, MISSING, INVENTED))) for kind in ("cache", "legacy")]


def gaps(
    build: Build,
    content: bytes | None,
    modules: Mapping[bytes, Sequence[bytes]],
    kinds: Sequence[str],
) -> list[Gap]:
    """Return the probes of `kinds` that Docker would send, under the ignore file `content`.

    Probed are the modules below the context, and a name that nobody has, in each of their
    directories, at the context's top and in a directory that does not exist; of these, what the
    Dockerfile copies. A context without Python has no gap: nothing in it gets bytecode, unless some
    is tracked. Raises `RefusedLine`.
    """
    rules = Dockerignore(b"" if content is None or wide_encoding(content) else content)
    start = below(build.context, b"")
    names = {
        directory[len(start) :]: [INVENTED, *found]
        for directory, found in modules.items()
        if below(directory, b"").startswith(start)
    }
    if not names:
        return []
    copied = [os.fsencode(pattern) for pattern in build.sources.concrete()]
    holding = [c for c in copied if any((d + b"/").startswith(c + b"/") for d in names)]
    for directory in (b"", MISSING, *(below(parent, MISSING) for parent in holding)):
        names.setdefault(directory, [INVENTED])
    return [
        gap
        for kind in kinds
        for directory, found in names.items()
        for name in found
        for probe in probes(kind, directory, name)
        if build.sources.cover(os.fsdecode(probe))
        if (gap := gap_at(build, rules, kind, directory, probe))
    ]


def gap_at(
    build: Build, rules: Dockerignore, kind: str, directory: bytes, probe: bytes
) -> Gap | None:
    """Return the gap that a probe, from the context's top, is; `None` if it is none."""
    excluded, pattern = rules.verdict(probe.decode("utf-8", "surrogateescape"))
    if excluded:
        return None
    whole = below(build.context, probe)
    if pattern is None:
        return Gap(kind, directory, whole, b"", b"", b"")
    return Gap(kind, directory, whole, build.ignore_file, b"%d" % pattern.line, pattern.text)


def findings(
    build: Build, content: bytes | None, left: Sequence[Gap], remedy: str
) -> list[Finding]:
    """Return what lets the gaps that are `left` into the context of a build: PYC301."""
    name = os.fsdecode(build.ignore_file)
    taken = f"the build context {os.fsdecode(build.context) or '.'} takes in"
    if content is None:
        words = f"there is no such file, and {taken} {{}}"
    else:
        words = f"{taken} {{}}, which no pattern keeps out"
    silent = grouped([gap for gap in left if not gap.pattern], lambda gap: gap.kind.encode())
    found = [
        Finding(name, Rule.PYC301, words.replace("{}", examples(g)), remedy) for _, g in silent
    ]
    negated = [gap for gap in left if gap.pattern]
    for (_, line, text), group in grouped(negated, lambda gap: (gap.file, gap.line, gap.pattern)):
        message = f"`{os.fsdecode(text)}` takes bytecode back in: {examples(group)}"
        found.append(Finding(name, Rule.PYC301, message, remedy, line=int(line)))
    for number, inert, fault in faults(content or b"", _SAMPLES):
        message = f"`{inert}` keeps no bytecode out below the top of the context: {fault}"
        found.append(Finding(name, Rule.PYC301, message, remedy, line=number))
    return found


def unreadable(build: Build, encoding: str, remedy: str) -> Finding:
    """Return what is wrong with an ignore file in an encoding that Docker does not read: PYC301."""
    words = f"is {encoding}, of which Docker reads no pattern"
    return Finding(os.fsdecode(build.ignore_file), Rule.PYC301, words, remedy)
