"""Gather what a file tells of itself."""

from __future__ import annotations

from typing import NamedTuple

from pycache_guard.bytecode.cachenames import parse_cache_name
from pycache_guard.bytecode.fit import fit
from pycache_guard.bytecode.header import InvalidHeader
from pycache_guard.bytecode.pyc import code_flaw
from pycache_guard.bytecode.pyc import header_flaw
from pycache_guard.bytecode.pyc import read_pyc
from pycache_guard.bytecode.running import running
from pycache_guard.bytecode.tags import tag_fits
from pycache_guard.bytecode.tampering import code_objects
from pycache_guard.findings import Finding
from pycache_guard.findings import Rule
from pycache_guard.verifying.disk_store import is_in_cache
from pycache_guard.verifying.screening import unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pycache_guard.bytecode.cachenames import CacheName
    from pycache_guard.bytecode.code_tree import Code
    from pycache_guard.bytecode.fit import Fit
    from pycache_guard.bytecode.header import Header
    from pycache_guard.bytecode.pyc import Pyc
    from pycache_guard.bytecode.running import Running
    from pycache_guard.examining.places import InGit
    from pycache_guard.examining.places import OnDisk
    from pycache_guard.verifying.store import Found


class Facts(NamedTuple):
    """What a file tells."""

    path: str
    #: As in `REV:PATH`; `None` for a file on disk.
    revision: str | None
    size: int
    #: The first bytes: the magic, if the file is any longer.
    magic: bytes
    #: What its name says; `None` if it is no bytecode's.
    name: CacheName | None
    #: `None` where it is not well-formed; then nothing of what follows is known.
    header: Header | None = None
    source: Found | None = None
    fitting: Fit | None = None
    running: Running | None = None
    #: `None` where the code is not well-formed, or of a format that we cannot read.
    code: Code | None = None
    #: As which its source was named to the compiler, each once.
    filenames: tuple[str, ...] = ()

    @property
    def leaks(self) -> tuple[str, ...]:
        """Absolute paths of the machine that compiled it."""
        return tuple(name for name in self.filenames if is_absolute(name))


def examine(place: OnDisk | InGit) -> tuple[Facts, list[Finding]]:
    """Read a file; return its facts and what is wrong with it. Raises `Failure`."""
    data = place.read()
    facts = Facts(place.path, place.revision, len(data), data[:4], parse_cache_name(place.path))
    try:
        pyc = read_pyc(data)
    except InvalidHeader as error:
        rule, words, _ = unknown(data, error)
        return facts, [Finding(place.path, rule, words, commit=None)]
    facts = with_source(facts, pyc.header, place)
    found = []
    for flaw in (header_flaw(pyc.header), code_flaw(pyc)):
        if flaw:
            found.append(Finding(place.path, Rule.PYC206, f"not well-formed: {flaw}"))
    if not is_tag_right(facts):
        assert facts.name is not None
        magic = pyc.header.magic
        words = f"its name says {facts.name.tag}, its magic number {magic.implementation} {magic.version}"
        found.append(Finding(place.path, Rule.PYC207, words))
    return with_code(facts, pyc), found


def with_source(facts: Facts, header: Header, place: OnDisk | InGit) -> Facts:
    """Add what is known of the source."""
    source = place.source()
    fitting = fit(header, source.source) if source is not None else None
    return facts._replace(
        header=header,
        source=source,
        fitting=fitting,
        running=running(facts.name, header, fitting, in_cache=is_in_cache(facts.path)),
    )


def with_code(facts: Facts, pyc: Pyc) -> Facts:
    """Add what is known of the code, if it can be read."""
    try:
        code = pyc.code
    except ValueError:
        return facts
    names = dict.fromkeys(nested.filename for nested in code_objects(code))
    return facts._replace(code=code, filenames=tuple(names))


def is_tag_right(facts: Facts) -> bool:
    """Whether name and magic name the same interpreter, as far as the name names one."""
    name, header = facts.name, facts.header
    return name is None or header is None or not name.tag or tag_fits(name.tag, header.magic)


def is_absolute(path: str) -> bool:
    """Whether `path` is an absolute one of POSIX or Windows."""
    return path.startswith(("/", "\\\\")) or (path[1:2] == ":" and path[2:3] in ("/", "\\"))
