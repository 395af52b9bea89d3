"""Judge files that are compared with nothing: without a source, or not made from it alone."""

from __future__ import annotations

from pycache_guard.bytecode.cache_names import is_compiled_by_hook
from pycache_guard.bytecode.cache_names import writes_other_code
from pycache_guard.bytecode.code_layouts import dialect_of
from pycache_guard.bytecode.fit import Standing
from pycache_guard.bytecode.fit import fit
from pycache_guard.bytecode.pyc import code_flaw
from pycache_guard.bytecode.pyc import read_pyc
from pycache_guard.bytecode.pyc import table_problem
from pycache_guard.bytecode.tampering import file_names
from pycache_guard.bytecode.tampering import oddities
from pycache_guard.findings import Rule
from pycache_guard.verifying.verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pycache_guard.bytecode.cache_names import CacheName
    from pycache_guard.bytecode.header import Header
    from pycache_guard.bytecode.pyc import Pyc
    from pycache_guard.verifying.store import Found
    from pycache_guard.verifying.store import Store


#: Characters of a file name that a message shows.
_MAX_NAME = 80


def disguised(path: str, store: Store, header: Header) -> list[Verdict]:
    """Judge bytecode under another name: `python FILE` runs it whatever its name."""
    pyc = read_pyc(store.read(path))
    who = f"{header.magic.implementation} {header.magic.version}"
    words = (
        f"{who} bytecode under another name, which runs as `python {path}` does, without a source"
    )
    return malformed(pyc) or [Verdict(Rule.PYC204, words + tampered(pyc))]


def alone(path: str, store: Store, name: CacheName, header: Header) -> list[Verdict]:
    """Judge a file that has no source."""
    pyc = read_pyc(store.read(path), name)
    if name.tag:
        words = "its source is not there to compare it with, and Python does not import it without"
        return malformed(pyc) or [Verdict(Rule.PYC205, words, store.removal(path))]
    magic = header.magic
    words = f"{magic.implementation} {magic.version} runs it, and there is no source beside it"
    return malformed(pyc) or [Verdict(Rule.PYC204, words + tampered(pyc))]


def uncomparable(
    path: str, store: Store, name: CacheName, header: Header, source: Found
) -> list[Verdict]:
    """Judge what no compiler writes from the source alone."""
    pyc = read_pyc(store.read(path), name)
    fitting = fit(header, source.source)
    if fitting.standing is Standing.STALE and not fitting.only_time:
        return malformed(pyc) or [Verdict(Rule.PYC201, f"stale: {fitting.why}")]
    return malformed(pyc) or [unverifiable(pyc, name_of_writer(name, header, source.path))]


def is_uncomparable(name: CacheName, header: Header, source: Found) -> bool:
    """Whether no compiler that can be asked writes this file from its source."""
    magic = header.magic
    return (
        dialect_of(magic) is None
        or name.is_instrumented
        or (name.implementation == "PyPy" and writes_other_code(name.tag, magic))
        or name.has_foreign_code
        or is_compiled_by_hook(source.path)
    )


def name_of_writer(name: CacheName, header: Header, source: str) -> str:
    """Say who wrote it, so that no compiler can be asked."""
    if name.pytest:
        return f"{name.pytest_writer} has rewritten its assertions"
    if is_compiled_by_hook(source):
        return f"an import hook compiles {source}, which is not written in Python"
    if name.implementation and writes_other_code(name.tag, header.magic):
        magic = header.magic
        return (
            f"{name.implementation} wrote it under the magic number of"
            f" {magic.implementation} {magic.version}"
        )
    if name.is_instrumented:
        return f"an import hook, {name.optimization}, has rewritten its code"
    if name.suffix == "$py.class":
        return "Jython's: a Java class, which runs if it is not older than its source"
    return f"the code of {header.magic.implementation} {header.magic.version} cannot be read here"


def unverifiable(pyc: Pyc, reason: str) -> Verdict:
    """Judge well-formed code that cannot be compared: what no compiler writes comes from no source."""
    strange = tampered(pyc)
    if strange:
        return Verdict(Rule.PYC202, f"not what any source compiles to{strange}")
    return Verdict(Rule.PYC205, f"cannot be compared: {reason}")


def flawed(pyc: Pyc) -> list[Verdict]:
    """Judge the code whatever its source."""
    flaw = code_flaw(pyc)
    return [Verdict(Rule.PYC206, f"not well-formed: {flaw}")] if flaw else []


def malformed(pyc: Pyc) -> list[Verdict]:
    """Judge the code that no compiler can be asked about: its tables too."""
    found = flawed(pyc)
    if found:
        return found
    problem = table_problem(pyc)
    return [Verdict(Rule.PYC206, f"not well-formed: {problem}")] if problem else []


def tampered(pyc: Pyc) -> str:
    """Say, to follow other words, what no compiler writes; nothing for nothing."""
    if dialect_of(pyc.header.magic) is None:
        return ""
    for oddity in oddities(pyc.code, pyc.header.magic):
        return f"; {oddity.code.name} holds what no compiler writes: {oddity.reason}"
    names = file_names(pyc.code)
    return f"; {several_names(names)}" if len(names) > 1 else ""


def several_names(names: list[str]) -> str:
    """Return a sentence about code objects of one file that bear more than one file name."""
    first, second = (
        name if len(name) <= _MAX_NAME else name[:_MAX_NAME] + "…" for name in names[:2]
    )
    return (
        f"its code objects bear several file names ({first} and {second}), and compilers write one"
    )
