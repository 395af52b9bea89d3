"""Names of bytecode files: their parts, their readers, and the paths of their sources.

Every command asks this module, so that all give the same answer. Names are str as `os.fsdecode`
returns them. Sources:

- PEP 3147 (`__pycache__`, tags) and PEP 488 (`.opt-N`)
- CPython `Lib/importlib/_bootstrap_external.py`, `cache_from_source` and `_write_atomic`
- pytest `_pytest/assertion/rewrite.py`, `PYTEST_TAG`, `PYC_TAIL` and `atomic_write`
- numba `numba/core/caching.py` (`.nbi`, `.nbc`, and `.tmp.<id>` behind either while it is written)
- basilisp `src/basilisp/importer.py` (`.lpyc`)

Import nothing heavy here: `clean` runs as a hook. `parse_cache_name` knows modules with dots in
their file names and scripts without a suffix, unlike `importlib.util.source_from_cache`.
"""

# hot path: see tests/test_budgets.py

from __future__ import annotations

import functools

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from pycache_guard.bytecode.magic import Magic

CACHE = "__pycache__"
BYTECODE_SUFFIXES = (".pyc", ".pyo", "$py.class")
#: Caches of numba and of basilisp. Python does not import them.
OTHER_CACHE_SUFFIXES = (".nbi", ".nbc", ".lpyc")
NUMBA_TEMPORARY_SUFFIXES = (".nbi.tmp", ".nbc.tmp")

#: Sources that Python compiles by itself. The second one exists on Windows only.
PYTHON_SUFFIXES = (".py", ".pyw")
#: Sources that import hooks compile into ordinary caches: Hy, Coconut, Xonsh.
HOOK_SUFFIXES = (".hy", ".coco", ".xsh")

#: The first letters of a tag, and the implementation that writes it.
_IMPLEMENTATIONS = {
    "cpython": "CPython",
    "graalpy": "GraalPy",
    "jython": "Jython",
    "pypy": "PyPy",
    "pyston": "Pyston",
    "rustpython": "RustPython",
}
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_PYTEST = "-pytest-"
#: The label of early versions of pytest, up to about 5.0, without a version.
_EARLY_PYTEST = "-pytest"


class CacheName:
    """The parts of the name of a bytecode file."""

    __slots__ = ("is_script", "is_temporary", "module", "optimization", "pytest", "suffix", "tag")

    def __init__(
        self,
        module: str,
        tag: str = "",
        optimization: str = "",
        pytest: str = "",
        suffix: str = ".pyc",
        *,
        is_temporary: bool = False,
        is_script: bool = False,
    ) -> None:
        #: The name of the source up to its last dot; it may contain dots. For a script without a
        #: suffix, the whole name.
        self.module = module
        #: `cpython-313`; empty in a legacy name, and in a name of Jython.
        self.tag = tag
        #: The text after `.opt-`: a level, or the label of an import hook; else empty.
        self.optimization = optimization
        #: The version of pytest that rewrote the code; `PYTEST` if the label has no version;
        #: else empty.
        self.pytest = pytest
        #: `.pyc`, `.pyo` or `$py.class`.
        self.suffix = suffix
        #: Whether this is the temporary file of an interrupted write.
        self.is_temporary = is_temporary
        #: Whether the source is a script without a suffix: `toolcpython-313.pyc` belongs to `tool`.
        self.is_script = is_script

    @property
    def is_instrumented(self) -> bool:
        """Return whether pytest or an import hook wrote it. Then a compiler makes different code of the source."""
        return bool(self.pytest or self.optimization.strip("0123456789"))

    @property
    def implementation(self) -> str | None:
        """The implementation of the tag; None if there is no tag, or an unknown one."""
        return _implementation(self.tag)

    @property
    def has_foreign_code(self) -> bool:
        """Return whether the code has another layout than its magic number means."""
        return self.implementation in ("Jython", "RustPython")

    @property
    def pytest_writer(self) -> str:
        """`pytest 9.2.0` or `an early pytest`; empty for code that pytest did not rewrite."""
        if self.pytest == "PYTEST":
            return "an early pytest"
        return f"pytest {self.pytest}" if self.pytest else ""

    def source_names(self) -> list[str]:
        """Return the file names that the source may have, the most likely one first."""
        if self.is_script:
            return [self.module]
        names = [self.module + suffix for suffix in PYTHON_SUFFIXES]
        if not self.tag:
            return names
        names += [self.module + suffix for suffix in HOOK_SUFFIXES]
        if not is_tag(self.tag):  # `b.c.pyc` in a cache directory: perhaps of the module `b.c`
            names += [f"{self.module}.{self.tag}{suffix}" for suffix in PYTHON_SUFFIXES]
        # `.tool` is cached as `tool.cpython-313.pyc`: CPython cuts it at its only dot.
        return [*names, f".{self.module}"]

    def _key(self) -> tuple[object, ...]:
        return tuple([getattr(self, name) for name in self.__slots__])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CacheName) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        parts = zip(self.__slots__, self._key(), strict=True)
        return f"CacheName({', '.join([f'{name}={value!r}' for name, value in parts])})"


@functools.lru_cache(maxsize=8)  # several ask for the same file, one after the other
def parse_cache_name(path: str) -> CacheName | None:
    """Split the name of the file at `path`, which has `/` between its parts.

    Returns None if it is not a bytecode name. A tag that no interpreter known here has
    counts as one only in a directory `__pycache__`.
    """
    directory, _, name = path.rpartition("/")
    stem, suffix, is_temporary = _split_suffix(name)
    if not suffix:
        return None
    if suffix == "$py.class":
        return CacheName(stem, suffix=suffix, is_temporary=is_temporary)
    tagged, optimization = _split_optimization(stem)
    tagged, pytest = _split_pytest(tagged)
    module, dot, tag = tagged.rpartition(".")
    in_cache = is_cache_directory(directory.rpartition("/")[2])
    is_script = False
    if not (dot and is_tag(tag)):
        script = _split_script(tagged)
        if script:
            (module, tag), is_script = script, True
        elif not (dot and in_cache):
            return CacheName(stem, suffix=suffix, is_temporary=is_temporary)
    return CacheName(
        module, tag, optimization, pytest, suffix, is_temporary=is_temporary, is_script=is_script
    )


def source_candidates(path: str) -> Iterator[str]:
    """Yield the paths at which the source of the bytecode at `path` may be, the most likely one first.

    A tagged file outside `__pycache__` is in a tree of PYTHONPYCACHEPREFIX, below which a source's
    whole path is repeated without its root. Its name does not tell how many parts belong to the
    prefix: then the candidates are relative, to be tried below the roots at hand.
    """
    name = parse_cache_name(path)
    if name is None:
        return
    directory, slash, _ = path.rpartition("/")
    parent, parent_slash, last = directory.rpartition("/")
    if is_cache_directory(last):
        folders = [parent + parent_slash]
        if not name.tag:  # somebody has put it there: `__pycache__` may be a package of its own
            folders.insert(0, directory + slash)
    elif name.tag:
        parts = [part for part in directory.split("/") if part]
        folders = ["/".join([*parts[index:], ""]) for index in range(len(parts) + 1)]
    else:
        folders = [directory + slash]
    names = name.source_names()
    for folder in folders:
        for source in names:
            yield folder + source


def is_compiled_by_hook(source: str) -> bool:
    """Return whether an import hook, and not Python itself, compiles the file `source`."""
    return source.endswith(HOOK_SUFFIXES)


def has_exact_case(path: str) -> bool:
    """Return whether the name of `path` has the letter case that Python uses.

    If not, import finds it only on a case-insensitive file system.
    """
    directory, _, name = path.rpartition("/")
    parent = directory.rpartition("/")[2]
    parsed = parse_cache_name(path)
    if parsed is None or (is_cache_directory(parent) and parent != CACHE):
        return parsed is None
    ending = name[len(parsed.module) :]
    label = f"-{parsed.pytest}" if parsed.pytest == "PYTEST" else ""
    ending = ending.replace(label, "").replace(parsed.optimization or " ", "")
    return ending == ending.lower()


def is_cache_directory(name: str) -> bool:
    """Return whether a directory of this name is a cache, in any letter case."""
    return name.lower() == CACHE


def is_cache_name(name: str) -> bool:
    """Return whether a file of this name in a cache directory is a cache, and may be removed."""
    lowered = name.lower()
    return (
        lowered.endswith(BYTECODE_SUFFIXES + OTHER_CACHE_SUFFIXES)
        or _is_temporary(lowered)
        or _is_numba_temporary(lowered)
    )


def is_bytecode_name(name: str) -> bool:
    """Return whether a file of this name outside of a cache directory is bytecode."""
    lowered = name.lower()
    return lowered.endswith(BYTECODE_SUFFIXES) or _is_temporary(lowered)


def may_hold_bytecode(names: list[str]) -> bool:
    """Return whether `names` may contain a bytecode name or a cache directory.

    False is certain: this is what a clean tree costs, four searches a directory instead
    of a loop.
    """
    lowered = "/".join(names).lower()
    # Written out: a loop over the suffixes takes three times as long.
    return ".pyc" in lowered or ".pyo" in lowered or CACHE in lowered or "$py.class" in lowered


def has_source(name: str, siblings: Container[str]) -> bool:
    """Return whether a source of the cache `name` is in the directory above, whose files are `siblings`.

    True if the name is ambiguous: numba names do not show where the module name ends.
    """
    parsed = parse_cache_name(f"{CACHE}/{name}")
    if parsed is not None:
        return any(source in siblings for source in parsed.source_names())
    suffixes = (*PYTHON_SUFFIXES, *HOOK_SUFFIXES, ".lpy", "")
    modules = candidate_modules(name)
    return any(module + suffix in siblings for module in modules for suffix in suffixes)


def has_source_beside(name: str, siblings: Container[str]) -> bool:
    """Return whether a source of the legacy file `name` is among the files of its directory."""
    return any(source in siblings for source in legacy_source_names(name))


def legacy_source_names(name: str) -> list[str]:
    """Return the names that the source of the legacy file `name` may have.

    A tag is a part of the module name here, unlike in a cache directory.
    """
    stem, _, _ = _split_suffix(name)
    return [stem + suffix for suffix in PYTHON_SUFFIXES]


def candidate_modules(name: str) -> list[str]:
    """Return the module names that a file of numba in a cache directory may be of.

    `MODULE.QUALNAME-LINE.py312.nbi`: both may hold dots.
    """
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


def is_tag(text: str) -> bool:
    """Return whether `text` looks like a `sys.implementation.cache_tag`."""
    return text[-1:].isdigit() and text.isascii() and _implementation(text) is not None


@functools.lru_cache(maxsize=64)
def tag_fits(tag: str, magic: Magic) -> bool:
    """Return whether an interpreter with `tag`, in any letter case, writes `magic`."""
    tag = tag.lower()
    implementation, written = _implementation(tag), magic.implementation
    digits = tag[len(tag.rstrip("0123456789")) :]
    version = f"{digits[:1]}.{digits[1:]}"
    if implementation == "Pyston":
        # Writes CPython 3.8's magic, whatever version of its own its tag names.
        return (written, magic.version) == ("CPython", "3.8")
    if implementation != written:
        return written == "CPython" and magic.version == version and _borrows_magic(tag)
    # Before 7.3, PyPy named itself and not the language: `pypy3-71`.
    if tag.startswith("pypy3-"):
        return magic.version in ("3.2", "3.3", "3.5", "3.6")
    # A magic without a row of its own may be of any version 3.
    return version in magic.version.split("-") or magic.version == "3"


@functools.lru_cache(maxsize=64)
def writes_other_code(tag: str, magic: Magic) -> bool:
    """Return whether the tag belongs to another implementation than the `magic` of the file.

    Then the compiler of CPython does not show what the file should contain. The code itself can be read for
    PyPy and Pyston, which lay it out as CPython of that version does.
    """
    implementation = _implementation(tag.lower())
    return implementation is not None and implementation != magic.implementation


def _borrows_magic(tag: str) -> bool:
    """Return whether an implementation with this tag wrote the magic of CPython of its version.

    PyPy 3.8 v7.3.7 and 3.9 v7.3.8 and v7.3.9 did (pypy/pypy#3782); RustPython has 3.14's
    (`crates/vm/src/version.rs`); pytest on Jython asks `imp.get_magic`, which returns 2.7's.
    """
    return tag in ("pypy38", "pypy39", "jython-27") or tag.startswith("rustpython")


@functools.lru_cache(maxsize=64)
def _implementation(tag: str) -> str | None:
    lowered = tag.lower()
    return _IMPLEMENTATIONS.get(lowered[: len(lowered) - len(lowered.lstrip(_LETTERS))])


def _is_temporary(lowered: str) -> bool:
    """Return whether a lower-case name is the temporary file of a killed Python or pytest: `….pyc.<digits>`."""
    stem, _, digits = lowered.rpartition(".")
    return digits.isascii() and digits.isdecimal() and stem.endswith(BYTECODE_SUFFIXES)


def _is_numba_temporary(lowered: str) -> bool:
    """Return whether a lower-case name is the temporary file of a killed numba: `….nbi.tmp.<id>`."""
    stem, _, _ = lowered.rpartition(".")
    return stem.endswith(NUMBA_TEMPORARY_SUFFIXES)


def _split_suffix(name: str) -> tuple[str, str, bool]:
    """Split into stem, suffix, and whether the digits of a temporary name follow."""
    whole, _, digits = name.rpartition(".")
    is_temporary = digits.isdecimal() and digits.isascii()
    if is_temporary:
        name = whole
    for suffix in BYTECODE_SUFFIXES:
        # The suffixes are ASCII: other letters may change their number in lower case.
        if name[-len(suffix) :].lower() == suffix and len(name) > len(suffix):
            return name[: -len(suffix)], suffix, is_temporary
    return name, "", is_temporary


def _split_optimization(stem: str) -> tuple[str, str]:
    rest, _, last = stem.rpartition(".")
    if last.lower().startswith("opt-") and last[4:].isalnum():
        return rest, last[4:]
    return stem, ""


def _split_pytest(stem: str) -> tuple[str, str]:
    """Split off the label of pytest, which follows a tag. `a-pytest-b.cpython-313` is a module."""
    # The version has dots too.
    before, label, version = stem.rpartition(_PYTEST)
    if label and _ends_with_tag(before):
        return before, version
    before = stem[: -len(_EARLY_PYTEST)]
    if stem[len(before) :].lower() == _EARLY_PYTEST and _ends_with_tag(before):
        return before, "PYTEST"
    return stem, ""


def _ends_with_tag(stem: str) -> bool:
    return is_tag(stem.rpartition(".")[2]) or _split_script(stem) is not None


def _split_script(stem: str) -> tuple[str, str] | None:
    """Split `toolcpython-313` into script and tag. Returns None for other names.

    `cache_from_source("bin/tool")` writes no dot, because the name has none.
    """
    if "." in stem:
        return None
    lowered = stem.lower()
    for letters in _IMPLEMENTATIONS:
        start = lowered.rfind(letters)
        if start > 0 and is_tag(stem[start:]) and _is_whole_tag(lowered[start + len(letters) :]):
            return stem[:start], stem[start:]
    return None


def _is_whole_tag(rest: str) -> bool:
    """Return whether the rest of a tag consists of digits, in parts joined with `-`."""
    return all(part.isdigit() or not part for part in rest.split("-")) and rest[-1:].isdigit()
