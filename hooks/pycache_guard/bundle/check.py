"""Check a bundle: what the target does with each module, and what a reader should do about it."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.bundle.judge import State
from pycache_guard.bundle.proof import find_compiler, find_mismatches, find_rejected
from pycache_guard.bundle.target import likeliest_target
from pycache_guard.errors import Failure
from pycache_guard.findings import Finding, Rule
from pycache_guard.remedies import program, shell_quote
from pycache_guard.report import count

if TYPE_CHECKING:
    from pycache_guard.bundle.bundles import Bundle
    from pycache_guard.bundle.judge import Judgement, ModuleVerdict, StrayFile
    from pycache_guard.bundle.proof import Compilers
    from pycache_guard.bundle.target import Target
    from pycache_guard.bundle.tree import BundleTree

#: An archive has to be made again.
_BEFORE_PACKING = (
    "repair the directory before it is packed: `pycache-guard check-bundle --fix DIRECTORY`"
)

#: The invalidation modes of PEP 552, as `--expect` has them.
MODES = ("timestamp", "checked-hash", "unchecked-hash")


class Expectation(NamedTuple):
    """What the user says about a bundle."""

    #: None to take the Python that most files are for.
    target: Target | None = None
    level: int = 0
    #: One of `MODES`, or None for any.
    mode: str | None = None
    #: Whether the target cannot write into the bundle.
    is_read_only: bool = False
    #: What the user named as `--python`.
    python: str | None = None


DEFAULT_MODE = "checked-hash"


class Repair(NamedTuple):
    """What `--fix` is asked for."""

    #: The invalidation mode of the result.
    mode: str = DEFAULT_MODE
    #: Where the directory will be when it is used; None for where it is.
    destination: str | None = None


class BundleResult(NamedTuple):
    """What was found in one bundle."""

    path: str
    tree: BundleTree
    target: Target
    level: int
    is_read_only: bool
    judgement: Judgement
    findings: list[Finding]
    notes: list[str]

    def number(self, state: State) -> int:
        """Return the number of modules in a state."""
        return sum(module.state is state for module in self.judgement.modules)

    def summarize(self) -> str:
        """Return `1,446 modules: 1,440 used, 4 never used, 2 missing (CPython 3.13)`."""
        words = [
            f"{self.number(state):,} {state.value.replace('-', ' ')}"
            for state in State
            if self.number(state)
        ]
        level = f", -{'O' * self.level}" if self.level else ""
        modules = count(len(self.judgement.modules), "module")
        return f"{modules}: {', '.join(words)} ({self.target.title}{level})"


def check_bundle(bundle: Bundle, expected: Expectation, compilers: Compilers) -> BundleResult:
    """Check a bundle. Raises `Failure` if it has no module, or no target is known."""
    path, tree = bundle.label, bundle.tree
    target = expected.target or find_target(path, tree)
    judgement = bundle.judge(tree, target, expected.level)
    expected = expected._replace(is_read_only=expected.is_read_only or bundle.is_archive)
    notes = [*tree.notes]
    rejected = find_rejected(tree, target, expected.level, judgement, compilers)
    if rejected:
        judgement.modules = [m for m in judgement.modules if m.path not in rejected]
        notes.append(
            f"{count(len(rejected), 'source')} ({_first(tree, rejected)}) cannot be compiled by"
            f" {target.title}, and no bytecode of {'it' if len(rejected) == 1 else 'them'} is expected."
        )
    if not judgement.modules:
        raise Failure(f"{path}: has no Python module in it, so that nothing was checked")
    if judgement.other_levels:
        notes.append(
            f"{count(judgement.other_levels, 'file')} of other optimization levels"
            f" {'was' if judgement.other_levels == 1 else 'were'} not checked; `--level` does."
        )
    mismatches, uncompared = find_mismatches(tree, judgement, compilers)
    if uncompared:
        notes.append(
            f"{count(len(uncompared), 'unchecked-hash file')} ({_first(tree, uncompared)}) could not be"
            " compared with what the source compiles to; the hash was compared."
        )
    described = _Describer(bundle, target, expected, compilers)
    findings = [
        *(found for module in judgement.modules for found in described.module(module)),
        *(described.stray(stray) for stray in judgement.strays),
        *(
            described.finding(each, rule, why, _Remedy.COMPILE)
            for each, (rule, why) in sorted(mismatches.items())
        ),
    ]
    return BundleResult(
        path, tree, target, expected.level, expected.is_read_only, judgement, findings, notes
    )


def _first(tree: BundleTree, paths: list[str]) -> str:
    return tree.show(paths[0]) + (", …" if len(paths) > 1 else "")


def find_target(path: str, tree: BundleTree) -> Target:
    """Return the Python that most files of a bundle are for. Raises `Failure`."""
    names = (name for folder in tree.folders.values() for name in folder.caches)
    legacy = (
        tree.head(f"{directory}/{name}" if directory else name)
        for directory, folder in tree.folders.items()
        for name in sorted(folder.files)
        if name.endswith(".pyc")
    )
    target = likeliest_target(names, legacy)
    if target is None:
        raise Failure(
            f"{path}: has no bytecode that tells which Python it is for; name it, as `--python 3.13`"
        )
    return target


class _Remedy(Enum):
    """What makes a finding about a directory go away."""

    COMPILE = 1
    REMOVE = 2
    #: It has no source here: nothing can compile it, and removing it would lose the module.
    FIND_SOURCE = 3


class _Describer:
    """Makes findings of verdicts."""

    def __init__(
        self,
        bundle: Bundle,
        target: Target,
        expected: Expectation,
        compilers: Compilers,
    ) -> None:
        self._bundle = bundle
        self._tree = bundle.tree
        self._who = target.title
        self._target = target
        self._expected = expected
        self._compilers = compilers
        self._command: str | None = None
        self._then = (
            f"{self._who} compiles the source at every start"
            if expected.is_read_only
            else f"{self._who} compiles the source at the first import"
        )

    def finding(self, path: str, rule: Rule, message: str, remedy: _Remedy) -> Finding:
        """Return a finding about a file of the bundle, with what to do about it."""
        place, start = self._tree.locate_finding(path)
        if self._bundle.is_archive:
            return Finding(place, rule, start + message, hint=_BEFORE_PACKING)
        if remedy is _Remedy.COMPILE:
            return Finding(place, rule, message, self._fix_command() or None)
        if remedy is _Remedy.REMOVE:
            return Finding(place, rule, message, f"rm -f -- {shell_quote(place)}")
        return Finding(place, rule, message, hint="compile its source for this Python")

    def _fix_command(self) -> str:
        """Return the command that repairs the directory, empty if this machine cannot compile."""
        if self._command is None:
            process = find_compiler(self._target, self._compilers)
            expected = self._expected
            words = [program(), "check-bundle", "--fix"]
            words += ["--python", shell_quote(expected.python)] if expected.python else []
            words += ["--level", str(expected.level)] if expected.level else []
            words += ["--expect", expected.mode] if expected.mode else []
            words += ["--"] * self._bundle.label.startswith("-")
            words.append(shell_quote(self._bundle.label))
            self._command = " ".join(words) if process else ""
        return self._command

    def stray(self, stray: StrayFile) -> Finding:
        """Return the finding of bytecode that belongs to no module of the target."""
        message = f"{self._who} never uses this file: {stray.why}"
        return self.finding(stray.path, stray.rule, message, _Remedy.REMOVE)

    def module(self, module: ModuleVerdict) -> list[Finding]:
        """Return the findings of a module."""
        bytecode = module.bytecode
        if module.state is State.USED:
            return self._mode(module)
        if bytecode is None:
            message = f"{self._who} has no bytecode for this source: {self._then}"
            found = [self.finding(module.path, Rule.PYC322, message, _Remedy.COMPILE)]
        else:
            rule = Rule.PYC206 if module.cause == "malformed" else Rule.PYC321
            message = f"{self._who} never uses this file: {module.why}"
            if module.is_compiled:
                message += f"; {self._then}"
            remedy = _Remedy.COMPILE
            if module.path == bytecode:
                remedy = _Remedy.FIND_SOURCE
            elif module.cause == "shadowed":
                remedy = _Remedy.REMOVE
            found = [self.finding(bytecode, rule, message, remedy)]
        if module.is_compiled and not self._expected.is_read_only:
            message = f"{self._who} writes bytecode for this source into the bundle when it runs"
            found.append(self.finding(module.path, Rule.PYC324, message, _Remedy.COMPILE))
        return found

    def _mode(self, module: ModuleVerdict) -> list[Finding]:
        """Return the finding of a file that is used, and whose mode is not wanted."""
        expected, mode, bytecode = self._expected.mode, module.mode, module.bytecode
        if not mode or bytecode is None or mode == expected:
            return []
        expectation = f"its mode is {mode}, and {expected} is expected"
        if mode == "unchecked-hash":
            message = f"{self._who} runs it without checking the source"
            if expected:
                message += f": {expectation}"
            return [self.finding(bytecode, Rule.PYC203, message, _Remedy.COMPILE)]
        if expected is None:
            return []
        changes = "time" if mode == "timestamp" else "content"
        message = f"{expectation}: {self._who} compiles the source again if its {changes} changes"
        return [self.finding(bytecode, Rule.PYC324, message, _Remedy.COMPILE)]
