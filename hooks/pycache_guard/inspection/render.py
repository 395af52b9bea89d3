"""Facts as text."""

from __future__ import annotations

import time

from pycache_guard.bytecode.cache_names import writes_other_code
from pycache_guard.bytecode.header import SourceHash
from pycache_guard.bytecode.header import Timestamp
from pycache_guard.inspection.facts import is_tag_right
from pycache_guard.inspection.outline import constants
from pycache_guard.inspection.outline import walk_code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycache_guard.bytecode.cache_names import CacheName
    from pycache_guard.bytecode.header import Header
    from pycache_guard.findings import Finding
    from pycache_guard.inspection.facts import PycFacts

#: Whether Python would run the file instead of compiling its source.
_RUNS = {True: "yes", False: "no", None: "depends"}


def to_text(facts: PycFacts, findings: list[Finding], *, with_code: bool) -> Iterator[str]:
    """Yield lines: the path, then the facts."""
    revision = "" if facts.revision is None else f"{facts.revision}:"
    yield f"{revision}{facts.path}"
    for finding in findings:
        yield f"  {finding.rule.name}        {finding.message}"
    header = facts.header
    runs = f"  runs          {_RUNS[facts.running.runs]}: {facts.running.why}"
    if header is None:
        yield runs
        return
    yield f"  written by    {name_writer(facts, header)}"
    if facts.name is not None:
        yield f"  name          {by_name(facts.name)}"
    yield f"  invalidation  {by_header(header)}"
    yield f"  source        {source(facts)}"
    yield runs
    for name in facts.filenames:
        leak = (
            " (an absolute path of the machine that compiled it)"
            if name in facts.absolute_paths
            else ""
        )
        yield f"  compiled as   {name}{leak}"
    if with_code and facts.code is not None:
        yield "  code"
        for depth, code in walk_code(facts.code):
            listed = ", ".join(constants(code))
            yield f"  {'  ' * depth}  {code.name}, line {code.firstlineno}, flags {code.flags:#x}: {listed}"
    elif with_code:
        yield "  code          cannot be read"


def name_writer(facts: PycFacts, header: Header) -> str:
    """Return what wrote the file: by its tag, if its interpreter uses the magic number of another one."""
    magic = header.magic
    early = "" if magic.released else ", a pre-release"
    number = f"magic {magic.number}" if magic.has_number else "no magic number"
    writer = f"{magic.implementation} {magic.version}{early}"
    name = facts.name
    if name and name.implementation and is_tag_right(facts) and writes_other_code(name.tag, magic):
        return f"{name.implementation} ({number} of {writer})"
    return f"{writer} ({number})"


def by_name(name: CacheName) -> str:
    """Describe the parts of a name."""
    parts = [f"{'script' if name.is_script else 'module'} {name.module}"]
    if name.tag:
        parts.append(f"tag {name.tag}")
    if name.optimization:
        parts.append(f"optimization {name.optimization}")
    if name.pytest:
        parts.append(f"rewritten by {name.pytest_writer}")
    if name.is_temporary:
        parts.append("left by an interrupted write")
    return ", ".join(parts)


def by_header(header: Header) -> str:
    """Describe how Python checks whether the file is out of date."""
    validation = header.validation
    if isinstance(validation, SourceHash):
        how = "checked" if validation.checked else "never checked"
        return f"hash of the source, {how}: {validation.digest.hex()}"
    if isinstance(validation, Timestamp):
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(validation.mtime))
        size = "" if validation.source_size is None else f", {validation.source_size} bytes"
        return f"timestamp: source of {when} UTC{size}"
    return "not in a header"


def source(facts: PycFacts) -> str:
    """Describe the source."""
    if facts.source is None or facts.fitting is None:
        return "not found"
    return f"{facts.source.path}, {facts.source.source.size} bytes: {facts.fitting.why}"
