"""Gather what a file tells of itself."""

from __future__ import annotations

from typing import NamedTuple

from pycache_guard.bytecode.cache_names import has_exact_case
from pycache_guard.bytecode.cache_names import parse_cache_name
from pycache_guard.bytecode.cache_names import tag_fits
from pycache_guard.bytecode.fit import fit
from pycache_guard.bytecode.header import InvalidHeader
from pycache_guard.bytecode.pyc import code_flaw
from pycache_guard.bytecode.pyc import find_import_problem
from pycache_guard.bytecode.pyc import header_flaw
from pycache_guard.bytecode.pyc import read_pyc
from pycache_guard.bytecode.pyc import table_problem
from pycache_guard.bytecode.running import run_without_header
from pycache_guard.bytecode.running import running
from pycache_guard.bytecode.tampering import code_objects
from pycache_guard.findings import Finding
from pycache_guard.findings import Rule
from pycache_guard.verifying.disk_store import is_in_cache
from pycache_guard.verifying.screening import unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pycache_guard.bytecode.cache_names import CacheName
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
    #: Whether import runs it.
    running: Running
    #: `None` where it is not well-formed; then nothing of what follows is known.
    header: Header | None = None
    source: Found | None = None
    fitting: Fit | None = None
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
    path, data = place.path, place.read()
    name = parse_cache_name(path)
    source = place.source()
    try:
        pyc = read_pyc(data, name)
    except InvalidHeader as error:
        rule, words, _ = unknown(data, error)
        outcome = run_without_header(name, data, error, has_source=source is not None)
        facts = Facts(path, place.revision, len(data), data[:4], name, outcome)
        return facts, [Finding(path, rule, words)]
    header = pyc.header
    fitting = fit(header, source.source) if source is not None else None
    outcome = running(
        name,
        header,
        fitting,
        in_cache=is_in_cache(path),
        exact_case=has_exact_case(path),
        problem=find_import_problem(pyc),
    )
    facts = Facts(
        path,
        place.revision,
        len(data),
        data[:4],
        name,
        outcome,
        header,
        source,
        fitting,
        *of_code(pyc),
    )
    return facts, wrong(facts, pyc)


def of_code(pyc: Pyc) -> tuple[Code | None, tuple[str, ...]]:
    """Return the code, if it can be read, and the names of its sources."""
    try:
        code = pyc.code
    except ValueError:
        return None, ()
    return code, tuple(dict.fromkeys([nested.filename for nested in code_objects(code)]))


def wrong(facts: Facts, pyc: Pyc) -> list[Finding]:
    """Return what is wrong with a file that has a header."""
    flaws = [header_flaw(pyc.header), code_flaw(pyc) or table_problem(pyc)]
    found = [Finding(facts.path, Rule.PYC206, f"not well-formed: {flaw}") for flaw in flaws if flaw]
    if facts.name is not None and not is_tag_right(facts):
        magic = pyc.header.magic
        who = f"{magic.implementation} {magic.version}"
        words = f"its name says {facts.name.tag}, its magic number {who}"
        found.append(Finding(facts.path, Rule.PYC207, words))
    return found


def is_tag_right(facts: Facts) -> bool:
    """Whether name and magic name the same interpreter, as far as the name names one."""
    name, header = facts.name, facts.header
    return name is None or header is None or not name.tag or tag_fits(name.tag, header.magic)


def is_absolute(path: str) -> bool:
    """Whether `path` is an absolute one of POSIX or Windows."""
    return path.startswith(("/", "\\\\")) or (path[1:2] == ":" and path[2:3] in ("/", "\\"))
