"""Judge files by name and header; what is left is to be compared."""

from __future__ import annotations

from pycache_guard.bytecode.cache_names import parse_cache_name
from pycache_guard.bytecode.cache_names import tag_fits
from pycache_guard.bytecode.contents import describe_content
from pycache_guard.bytecode.fit import Standing
from pycache_guard.bytecode.fit import fit
from pycache_guard.bytecode.header import InvalidHeader
from pycache_guard.bytecode.header import SourceHash
from pycache_guard.bytecode.header import Timestamp
from pycache_guard.bytecode.header import parse_header
from pycache_guard.bytecode.magic import lookup
from pycache_guard.bytecode.magic_numbers import CRLF
from pycache_guard.bytecode.pyc import header_flaw
from pycache_guard.bytecode.sniff import is_lfs_pointer
from pycache_guard.findings import Rule
from pycache_guard.remedies import quoted
from pycache_guard.verifying import apart
from pycache_guard.verifying.case import Case
from pycache_guard.verifying.store import is_pickle
from pycache_guard.verifying.verdict import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pycache_guard.bytecode.cache_names import CacheName
    from pycache_guard.bytecode.header import Header
    from pycache_guard.verifying.store import Found
    from pycache_guard.verifying.store import Store


def screen(path: str, store: Store) -> tuple[list[Verdict], Case | None]:
    """Judge what name and header tell; return a case where the code has to be compared.

    Raises `Failure` for what cannot be read.
    """
    if is_pickle(path):
        words = "numba's: a pickle, which runs what it likes when a cached function is first called"
        return [Verdict(Rule.PYC205, words)], None
    if change := store.change_at_checkout(path):
        return [Verdict(Rule.PYC205, f"cannot be compared: {change}")], None
    head, name = store.head(path), parse_cache_name(path)
    try:
        header = parse_header(head, name)
    except InvalidHeader as error:
        return [unknown(head, error)], None
    if name is None:
        return apart.disguised(path, store, header), None
    magic = header.magic
    if name.tag and not tag_fits(name.tag, magic):
        words = f"its name says {name.tag}, its magic number {magic.implementation} {magic.version}"
        return [Verdict(Rule.PYC207, words)], None
    flaw = header_flaw(header)
    found = [Verdict(Rule.PYC206, f"not well-formed: {flaw}")] if flaw else []
    source = store.source_of(path)
    if source is None:
        return [*found, *apart.alone(path, store, name, header)], None
    return with_source(path, store, name, header, source, found)


def with_source(
    path: str, store: Store, name: CacheName, header: Header, source: Found, found: list[Verdict]
) -> tuple[list[Verdict], Case | None]:
    """Go on with a file whose source is there."""
    if change := store.change_at_checkout(source.path):
        words = f"cannot be compared with its source, {source.path}: {change}"
        return [*found, Verdict(Rule.PYC205, words)], None
    validation = header.validation
    if isinstance(validation, SourceHash) and not validation.checked and name.tag:
        found.append(unchecked(name, header, source.path))
    if isinstance(validation, Timestamp):
        fitting = fit(header, source.source)
        if fitting.standing is Standing.STALE and not fitting.only_time:
            return [*found, Verdict(Rule.PYC201, f"stale: {fitting.why}")], None
    if apart.is_uncomparable(name, header, source):
        return [*found, *apart.uncomparable(path, store, name, header, source)], None
    return found, Case(path, name, header, source)


def unchecked(name: CacheName, header: Header, source: str) -> Verdict:
    """Judge a hash that nobody compares."""
    level = f" -o {name.optimization}" if name.optimization else ""
    return Verdict(
        Rule.PYC203,
        f"Python runs it without ever looking at {source}: its flags say so",
        f"python{header.magic.version} -m compileall -f{level} --invalidation-mode checked-hash"
        f" {quoted(source)}",
    )


def unknown(head: bytes, error: InvalidHeader) -> Verdict:
    """Judge a header that Python would not take: a number that we do not know may be a Python's."""
    if is_lfs_pointer(head):
        return Verdict(Rule.PYC205, "a Git LFS pointer: `git lfs pull` gets its content")
    if lookup(head) is None and head[2:4] == CRLF:
        number = int.from_bytes(head[:2], "little")
        return Verdict(Rule.PYC205, f"its magic number {number} is no interpreter's known here")
    content = describe_content(head) if lookup(head) is None else None
    if content:
        return Verdict(Rule.PYC206, f"not well-formed: it holds {content}")
    return Verdict(Rule.PYC206, f"not well-formed: {error}")
