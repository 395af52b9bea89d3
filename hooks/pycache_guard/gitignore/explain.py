"""Explain unignored paths, and any one path: which line of which file decides, and what fixes it."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.bytecode.probes import (
    IN_CACHE,
    PATTERNS,
    SUFFIXES,
    UNTRACKED_DIR,
    UNTRACKED_MODULE,
    WRITERS,
    lines_for,
)
from pycache_guard.errors import Failure
from pycache_guard.findings import Finding, Rule
from pycache_guard.fs.regular import open_regular
from pycache_guard.git.check_ignore import IsolatedIgnoreRules, rules_for_user
from pycache_guard.git.process import GitFailure
from pycache_guard.git.repository import require_toplevel
from pycache_guard.gitignore.fix_commands import FixCommands
from pycache_guard.gitignore.patterns import detect_utf16_32
from pycache_guard.gitignore.project import read_project
from pycache_guard.gitignore.proof import UnignoredPath, find_ineffective_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import TypeVar

    from pycache_guard.git.check_ignore import MatchedRule
    from pycache_guard.git.index import Index
    from pycache_guard.gitignore.project import Project

    Key = TypeVar("Key", bytes, tuple[bytes, bytes, bytes])

TOP_GITIGNORE = b".gitignore"

#: The maximum number of paths that are asked about with the rules of this user.
MAX_EXPLAINED = 1000


def attach_negations(
    gaps: Sequence[UnignoredPath], rules: Mapping[bytes, bytes]
) -> list[UnignoredPath]:
    """Return gaps; those without a rule get the one that re-includes their `__pycache__`.

    Git names such a rule only if it is asked about the directory itself and the directory exists.
    """
    silent = {gap.directory for gap in gaps if gap.kind in IN_CACHE and not gap.pattern}
    if not silent or not any(b"!" in content for content in rules.values()):
        return [*gaps]
    caches = [os.path.join(directory, b"__pycache__") for directory in silent]
    there = {os.path.join(cache, UNTRACKED_MODULE): b"" for cache in caches}
    with IsolatedIgnoreRules({**rules, **there}) as ignoring:
        answers = zip(silent, ignoring.rules(caches), strict=True)
        negated = {directory: rule for directory, rule in answers if rule[2].startswith(b"!")}
    return [
        UnignoredPath(gap.kind, gap.directory, gap.probe, *negated[gap.directory])
        if gap.kind in IN_CACHE and not gap.pattern and gap.directory in negated
        else gap
        for gap in gaps
    ]


def file_to_fix(gap: UnignoredPath) -> bytes:
    """Return the ignore file to which the missing line must be added: git reads none after it."""
    return gap.file or TOP_GITIGNORE


def local_only_rules(
    gaps: Sequence[UnignoredPath], rules: Mapping[bytes, bytes], top: str
) -> list[tuple[UnignoredPath, bytes]]:
    """Return the gaps that git ignores on this machine, each with the file that does so.

    That is a file outside the work tree, or one whose content on disk differs from the index.
    """
    looked_at = gaps[:MAX_EXPLAINED]
    if any(map(is_pipe, ignore_files_read_for([gap.probe for gap in looked_at], top))):
        return []
    try:
        answers = rules_for_user(top, [gap.probe for gap in looked_at])
    except GitFailure:  # a directory of the index is a link or a submodule on disk
        return []
    return [
        (gap, candidate)
        for gap, (file, _, pattern) in zip(looked_at, answers, strict=True)
        if pattern and not pattern.startswith(b"!")
        for candidate in [file, *[gap.file] * (gap.file != file)]
        if is_user_specific(candidate) or differs_from_index(top, candidate, rules)
    ]


def ignore_files_read_for(probes: Iterable[bytes], top: str) -> Iterator[bytes]:
    """Yield the paths of ignore files that git opens for `probes` in the work tree at `top`."""
    seen: set[bytes] = set()
    for probe in probes:
        directory = os.path.dirname(probe)
        while directory not in seen:
            seen.add(directory)
            yield os.path.join(os.fsencode(top), directory, TOP_GITIGNORE)
            directory = os.path.dirname(directory)


def is_pipe(path: bytes) -> bool:
    """Return whether `path` is a FIFO: git would wait for a writer."""
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)
    except OSError:
        return False


def differs_from_index(top: str, file: bytes, rules: Mapping[bytes, bytes]) -> bool:
    """Return whether an ignore file on disk differs from the index, apart from line ends.

    A link does not: git before 2.32 follows it, and for others nothing can be staged that makes it count.
    """
    path = os.path.join(os.fsencode(top), file)
    if os.path.islink(path):
        return False
    try:
        with open_regular(path) as present:
            content = present.read()
    except OSError:
        return False
    staged = rules.get(file)
    return staged is None or staged.replace(b"\r\n", b"\n") != content.replace(b"\r\n", b"\n")


def is_user_specific(file: bytes) -> bool:
    """Return whether an ignore file is outside the work tree, so that others do not have it."""
    return os.path.isabs(file) or file.rpartition(b"/")[2] not in (b".gitignore", b"")


def explain(gaps: Sequence[UnignoredPath], tracked: Project, top: str) -> list[Finding]:
    """Return the findings for `gaps`.

    The work tree at `top` is read only to explain them and to choose the commands.
    """
    return (
        Explainer(attach_negations(gaps, tracked.ignore_files), tracked, top).findings()
        if gaps
        else []
    )


class Explainer:
    """Turns gaps into findings."""

    def __init__(self, gaps: Sequence[UnignoredPath], tracked: Project, top: str) -> None:
        self._gaps = gaps
        self._tracked = tracked
        self._commands = FixCommands(tracked, top)
        #: One gap for each kind, directory and file.
        self._sample = [*{(g.kind, g.directory, g.file): g for g in gaps}.values()]
        self._local_only = local_only_rules(self._sample, tracked.ignore_files, top)
        covered = {(culprit, gap.kind, gap.directory) for gap, culprit in self._local_only}
        #: By file to fix, the kinds of gaps whose lines are missing in it on disk too.
        self._missing_kinds: dict[bytes, set[str]] = {}
        #: By directory, the first of the files to fix for the gaps below it that no file below it makes.
        self._outer_files: dict[bytes, bytes] = {}
        for gap in self._sample:
            file = file_to_fix(gap)
            kinds = self._missing_kinds.setdefault(file, set())
            if (file, gap.kind, gap.directory) not in covered:
                kinds.add(gap.kind)
            for place in directories_from(gap.directory):
                if not gap.file or not is_below(directory_of(gap.file), place):
                    self._outer_files[place] = min(file, self._outer_files.get(place, file))

    def findings(self) -> list[Finding]:
        """Return the findings of all rules."""
        return [
            *self._missing(),
            *self._reincluded(),
            *self._inert_files(),
            *self._local_only_files(),
            *self._inert_patterns(),
        ]

    def _missing(self) -> Iterator[Finding]:
        """PYC101. If a directory that does not exist is not covered, no directory is: one finding."""
        silent = [gap for gap in self._gaps if not gap.pattern]
        everywhere = {gap.kind for gap in silent if gap.directory == UNTRACKED_DIR}
        if everywhere:
            yield self._not_ignored(
                TOP_GITIGNORE, [gap for gap in silent if gap.kind in everywhere]
            )
        elsewhere = [gap for gap in silent if gap.kind not in everywhere]
        for directory, group in group_by(elsewhere, lambda gap: gap.directory):
            yield self._not_ignored(directory or b".", group)

    def _not_ignored(self, place: bytes, gaps: list[UnignoredPath]) -> Finding:
        """Return PYC101: how many lines are missing, which, and why."""
        message = describe_missing_lines(gaps, here=place != TOP_GITIGNORE)
        if not self._tracked.modules:
            message += (
                "; no Python file is tracked, but any tool that runs Python here writes caches"
            )
        elif place == TOP_GITIGNORE:
            message += describe_covered(self._tracked.modules, {gap.directory for gap in gaps})
        return Finding(os.fsdecode(place), Rule.PYC101, message, self._fix_command(TOP_GITIGNORE))

    def _reincluded(self) -> Iterator[Finding]:
        """PYC102: one finding for each line that re-includes bytecode."""
        negated = [gap for gap in self._gaps if gap.pattern]
        for (file, line, rule), gaps in group_by(negated, lambda g: (g.file, g.line, g.pattern)):
            path, number = os.fsdecode(file), int(line)
            yield Finding(
                path,
                Rule.PYC102,
                f"`{os.fsdecode(rule)}` re-includes bytecode: {describe_paths(gaps)}",
                self._fix_command(file),
                line=number,
            )

    def _inert_files(self) -> Iterator[Finding]:
        """PYC103: tracked files in which git reads no patterns."""
        targets = self._missing_kinds
        for file, why in self._tracked.unusable_ignore_files.items():
            remedy = self._fix_command(file) if file in targets else self._commands.untrack(file)
            yield Finding(os.fsdecode(file), Rule.PYC103, why, remedy)
        for file, encoding in self._tracked.recoded.items():
            why = f"is checked out as {encoding}; git cannot read patterns in it"
            yield Finding(os.fsdecode(file), Rule.PYC103, why, self._fix_command(file))
        for file, content in self._tracked.ignore_files.items():
            if wide := detect_utf16_32(content):
                why = f"is {wide}; git cannot read patterns in it"
                text = self._commands.convert_to_utf8(file, wide)
                remedy = self._fix_command(file) if file in targets else text
                yield Finding(os.fsdecode(file), Rule.PYC103, why, remedy)

    def _local_only_files(self) -> Iterator[Finding]:
        """PYC103: files that git honours here but not for others."""
        for file in sorted({file for _, file in self._local_only} - self._tracked.recoded.keys()):
            name = os.fsdecode(file)
            if is_user_specific(file):
                why, remedy = (
                    "ignores bytecode for this person only",
                    self._fix_command(TOP_GITIGNORE),
                )
            else:
                staged = file in self._tracked.ignore_files
                why = "has rules that are not staged" if staged else "is not tracked"
                remedy = (
                    self._fix_command(file) if file == TOP_GITIGNORE else self._commands.stage(file)
                )
            yield Finding(name, Rule.PYC103, why, remedy)

    def _inert_patterns(self) -> Iterator[Finding]:
        """PYC104: lines that were meant to cover a gap and cannot match."""
        targets = {file: self._file_to_fix_for(file) for file in self._tracked.ignore_files}
        for file, number, line, why in find_ineffective_lines(
            {file: content for file, content in self._tracked.ignore_files.items() if targets[file]}
        ):
            message = f"`{os.fsdecode(line)}` matches no bytecode: {why}"
            remedy = self._fix_command(targets[file] or TOP_GITIGNORE)
            yield Finding(os.fsdecode(file), Rule.PYC104, message, remedy, line=number)

    def _file_to_fix_for(self, path: bytes) -> bytes | None:
        """Return the file to fix for a gap that a line of `path` could have covered, or None."""
        return path if path in self._missing_kinds else self._outer_files.get(directory_of(path))

    def _fix_command(self, file: bytes) -> str:
        """Return the command that adds the missing lines to `file`.

        If the lines are on disk already, the command only stages the file.
        """
        if file in self._tracked.recoded:
            return self._commands.stop_recoding(file)
        kinds = self._missing_kinds.get(file, set())
        patterns = [line.decode("ascii") for line in lines_for(kinds)]
        return self._commands.append(file, patterns) if patterns else self._commands.stage(file)


def directory_of(path: bytes) -> bytes:
    """Return the directory of a file, `b""` for the top."""
    return path.rpartition(b"/")[0]


def directories_from(directory: bytes) -> Iterator[bytes]:
    """Yield a directory and those above it, `b""` for the top last."""
    while directory:
        yield directory
        directory = directory_of(directory)
    yield b""


def is_below(directory: bytes, place: bytes) -> bool:
    """Return whether `directory` is `place` or below it."""
    return not place or directory == place or directory.startswith(place + b"/")


def group_by(
    gaps: Iterable[UnignoredPath], key: Callable[[UnignoredPath], Key]
) -> list[tuple[Key, list[UnignoredPath]]]:
    """Return gaps by key, sorted by key."""
    groups: dict[Key, list[UnignoredPath]] = {}
    for gap in gaps:
        groups.setdefault(key(gap), []).append(gap)
    return sorted(groups.items(), key=lambda item: item[0])


def describe_missing_lines(gaps: Sequence[UnignoredPath], *, here: bool) -> str:
    """Return which lines are missing for `gaps` and why; `here` if only for their directory."""
    writers: dict[bytes, str] = {}
    kinds = {gap.kind for gap in gaps}
    for kind, pattern in PATTERNS.items():
        if kind in kinds:
            writers.setdefault(pattern, WRITERS[kind])
    lines = [f"`{pattern.decode('ascii')}` ({why})" for pattern, why in writers.items()]
    count = "1 line is missing" if len(lines) == 1 else f"{len(lines)} lines are missing"
    real = (
        next((gap.probe for gap in gaps if UNTRACKED_MODULE not in gap.probe), None)
        if here
        else None
    )
    example = f"; it would ignore {os.fsdecode(real)}" if real else ""
    return f"{count}{' for this directory' * here}: {', '.join(lines)}{example}"


def describe_covered(modules: Mapping[bytes, object], uncovered: set[bytes]) -> str:
    """Return which directories with Python files are not covered, if others are; else an empty string.

    Nested ignore files can cover those that exist, and then a person does not see what is missing.
    """
    missing = sorted(directory for directory in modules if directory in uncovered)
    if len(missing) == len(modules):
        return ""
    if not missing:
        return "; every directory with Python files has it, new ones would not"
    first = os.fsdecode(missing[0]) or "the top directory"
    more = f" and {len(missing) - 1} more have" if len(missing) > 1 else " has"
    return f"; of {len(modules)} directories with Python files, {first}{more} no such line"


def describe_paths(gaps: Sequence[UnignoredPath]) -> str:
    """Name a path of a module that exists and the number of others, or the directory.

    The path is one that Python writes without options, if there is one among them.
    """
    of_modules = [gap for gap in gaps if UNTRACKED_MODULE not in gap.probe]
    real = [*dict.fromkeys(gap.probe for gap in sorted(of_modules, key=_commonest_first))]
    if not real:
        kinds = {gap.kind for gap in gaps}
        names = "caches" if kinds <= {*IN_CACHE} else "NAME.pyc"
        places = sorted({gap.directory for gap in gaps if gap.directory != UNTRACKED_DIR})
        where = os.fsdecode(places[0] or b"the top directory") if places else "any directory"
        return f"{names} in {where}"
    first = os.fsdecode(real[0])
    return f"{first} and {len(real) - 1} more" if len(real) > 1 else first


class PathExplanation(NamedTuple):
    """Which rule decides about a path: of the index, which every clone has, and on this machine."""

    #: From the top of the repository, decoded with `os.fsdecode`.
    path: str
    for_all: MatchedRule
    here: MatchedRule

    @property
    def is_ignored_for_all(self) -> bool:
        """Return whether rules of the index ignore the path."""
        return _ignores(self.for_all)

    @property
    def is_ignored_here(self) -> bool:
        """Return whether git ignores the path for this person."""
        return _ignores(self.here)

    @property
    def text(self) -> str:
        """Return the explanation as a sentence without a full stop."""
        for_all, here = self.for_all, self.here
        if self.is_ignored_for_all:
            text = f"ignored for everybody by {_describe(for_all)}"
        elif self.is_ignored_here:
            text = f"ignored only here, by {_describe(here)}, which others do not have"
        elif for_all[2]:
            text = f"not ignored; {_describe(for_all)} re-includes it"
        elif here[2]:
            text = f"not ignored; {_describe(here)}, which others do not have, re-includes it"
        else:
            text = "not ignored; no rule matches it"
        if self.is_ignored_for_all and not self.is_ignored_here:
            text += f"; not ignored here{f', because of {_describe(here)}' if here[2] else ''}"
        return f"{self.path}: {text}"

    def to_dict(self) -> dict[str, object]:
        """Return the JSON object of this explanation; a rule is None where none matches."""
        from pycache_guard.report.json import path_fields

        return {
            **path_fields(self.path),
            "ignored_for_all": self.is_ignored_for_all,
            "ignored_here": self.is_ignored_here,
            "rule_for_all": _rule_to_dict(self.for_all),
            "rule_here": _rule_to_dict(self.here),
        }


def explain_path(index: Index, path: str) -> PathExplanation:
    """Return which rule decides about `path`, as seen from the current directory.

    The file need not exist; a path that ends with `/` is a directory. Raises `Failure` for a path
    outside the work tree. The rules of the index are asked in isolation, this person's by
    `git check-ignore`.
    """
    top = require_toplevel()
    asked = _from_top(path, top)
    with IsolatedIgnoreRules(read_project(index).ignore_files) as ignoring:
        (for_all,) = ignoring.rules([asked])
    (here,) = rules_for_user(top, [asked])
    return PathExplanation(os.fsdecode(asked), for_all, here)


def _from_top(path: str, top: str) -> bytes:
    """Return a path from the top of the work tree. Links above its last part are followed."""
    directory, name = os.path.split(path.rstrip("/") or path)
    whole = os.path.join(os.path.realpath(directory or os.curdir), name)
    relative = os.path.relpath(whole, os.path.realpath(top))
    parts = relative.split(os.sep)
    if parts[0] in (os.pardir, os.curdir):
        raise Failure(f"{path}: is not below the top of the work tree")
    return os.fsencode("/".join(parts) + "/" * path.endswith("/"))


def _ignores(rule: MatchedRule) -> bool:
    return bool(rule[2]) and not rule[2].startswith(b"!")


def _describe(rule: MatchedRule) -> str:
    file, line, pattern = map(os.fsdecode, rule)
    return f"{file}:{line}: `{pattern}`"


def _rule_to_dict(rule: MatchedRule) -> dict[str, object] | None:
    from pycache_guard.report.escape import escape_surrogates

    file, line, pattern = (escape_surrogates(os.fsdecode(part)) for part in rule)
    return {"file": file, "line": int(line), "pattern": pattern} if pattern else None


def _commonest_first(gap: UnignoredPath) -> tuple[int, int, bytes]:
    """Return the key that sorts paths by probe, by the order of its suffixes, and by name."""
    number = next(n for n, suffix in enumerate(SUFFIXES[gap.kind]) if gap.probe.endswith(suffix))
    return [*SUFFIXES].index(gap.kind), number, gap.probe
