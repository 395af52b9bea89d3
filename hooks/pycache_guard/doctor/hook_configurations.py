"""Read the configurations of hook runners in a work tree: pre-commit, prek, lefthook, npm, make.

Sources: pre-commit `clientlib.py` (CONFIG_SCHEMA, `default_stages`), prek's documentation of
`prek.toml` and of its workspace, lefthook's documentation of configuration files, `jobs`, `commands`
and `scripts`.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, cast

from pycache_guard.doctor.task_files import Makefile, TaskFile
from pycache_guard.errors import Failure
from pycache_guard.fs import regular

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The hooks of this project that refuse bytecode, with their stages in `.pre-commit-hooks.yaml`.
EVERY_COMMIT = ("pre-commit", "pre-merge-commit", "pre-push", "manual")
GUARDS = {
    "forbid-bytecode": EVERY_COMMIT,
    "forbid-bytecode-paths": EVERY_COMMIT,
    "check-history": ("pre-push", "manual"),
}
#: The configuration files of each runner, in the order in which the runner searches for them.
RUNNER_FILES = {
    "pre-commit": (".pre-commit-config.yaml",),
    "prek": ("prek.toml", ".pre-commit-config.yaml", ".pre-commit-config.yml"),
}
_LEFTHOOK_NAMES = ("lefthook", ".lefthook", ".config/lefthook")
_LEFTHOOK_SUFFIXES = (".yml", ".yaml", ".toml", ".json", ".jsonc")
LEFTHOOK_FILES = tuple(
    f"{name}{local}{suffix}"
    for name in _LEFTHOOK_NAMES
    for local in ("", "-local")
    for suffix in _LEFTHOOK_SUFFIXES
)
#: The files in which task runners define tasks.
TASK_FILES = {
    "hatch": ("pyproject.toml", "hatch.toml"),
    "inv": ("tasks.py",),
    "invoke": ("tasks.py",),
    "just": ("justfile", "Justfile", ".justfile"),
    "mise": ("mise.toml", ".mise.toml"),
    "nox": ("noxfile.py",),
    "pdm": ("pyproject.toml",),
    "poe": ("pyproject.toml",),
    "task": ("Taskfile.yml", "Taskfile.yaml"),
    "tox": ("tox.ini", "tox.toml", "pyproject.toml"),
}
#: What is read of all scripts and tasks that call each other, in characters; each text counts as
#: `CHARS_PER_TEXT` more.
MAX_CALLED_CHARS = 1 << 23
CHARS_PER_TEXT = 64
#: The largest number of files that extend each other.
MAX_EXTENDED_FILES = 100
#: Maximum nesting of job groups.
MAX_GROUP_DEPTH = 10
#: Old names of stages (pre-commit 3.2).
STAGES = {"commit": "pre-commit", "push": "pre-push", "merge-commit": "pre-merge-commit"}


class Unreadable(ValueError):
    """A configuration file that is not valid JSON, TOML or YAML."""


class Configurations:
    """The configurations in a work tree; each is read at its first use."""

    def __init__(self, top: str) -> None:
        self._top = top
        self._read: dict[str, object] = {}
        self._makefiles: dict[str, Makefile] = {}
        self._task_files: dict[str, TaskFile] = {}
        self._guards: dict[tuple[str, str, str], list[str]] = {}
        self._left = MAX_CALLED_CHARS
        #: One error message for each file that could not be read.
        self.failures: list[str] = []

    def find(self, names: tuple[str, ...]) -> str | None:
        """Return the first of `names` that is a file in the work tree."""
        return next((n for n in names if os.path.isfile(os.path.join(self._top, n))), None)

    def count_text(self, length: int) -> None:
        """Count a text that a hook calls. Raises `Failure` for hooks that call too much."""
        self._left -= CHARS_PER_TEXT + length
        if self._left < 0:
            raise Failure(
                "the hooks cannot be checked: their scripts and tasks call each other too often"
            )

    def list_guards(self, runner: str, stage: str, path: str | None = None) -> list[str]:
        """Return the ids of the hooks that refuse bytecode when `runner` runs a stage.

        `path` is the configuration file in the installed hook, or None.
        """
        name = path or self.find(RUNNER_FILES[runner])
        if name is None:
            return []
        if runner == "prek" and path == ".pre-commit-config.yaml":
            name = self.find(RUNNER_FILES[runner]) or path
        if (runner, stage, name) not in self._guards:
            found = [hook for hook, stages in self._hooks(name) if stage in stages]
            self._guards[runner, stage, name] = [*dict.fromkeys(found)]
        return self._guards[runner, stage, name]

    def list_configured(self) -> list[tuple[str, str, tuple[str, ...]]]:
        """Return file, id and stages of every configured hook that refuses bytecode."""
        names = dict.fromkeys(name for files in RUNNER_FILES.values() for name in files)
        found = []
        for name in names:
            if self.find((name,)):
                found += [(name, hook, stages) for hook, stages in self._hooks(name)]
        return found

    def list_lefthook_commands(self, stage: str) -> list[str]:
        """Return the shell commands and scripts that lefthook runs at a stage."""
        return [
            text
            for name in LEFTHOOK_FILES
            if self.find((name,))
            for text in dict.fromkeys(self._lefthook_texts(name, stage, set()))
        ]

    def list_package_scripts(self, script: str) -> list[str]:
        """Return the commands that npm runs for a script of `package.json`: `pre`, itself, `post`."""
        scripts = _mapping(_mapping(self._load("package.json")).get("scripts"))
        names = (f"pre{script}", script, f"post{script}")
        return [text for name in names if isinstance(text := scripts.get(name), str)]

    def list_make_rules(self, targets: list[str]) -> list[str]:
        """Return the recipe lines of Makefile targets and their prerequisites."""
        name = self.find(("GNUmakefile", "makefile", "Makefile"))
        if name is None:
            return []
        if name not in self._makefiles:
            self._makefiles[name] = Makefile(self.read_text(name))
        found = self._makefiles[name].list_recipes(targets)
        self.count_text(sum(map(len, found)))
        return found

    def list_tasks(self, runner: str, words: list[str]) -> list[str]:
        """Return the definitions of the tasks whose names are among the `words` of a command line."""
        names = {name for word in words for name in word.split(",")} - {runner}
        found: list[str] = []
        for file in TASK_FILES[runner]:
            if file not in self._task_files:
                self._task_files[file] = TaskFile(self.read_text(file))
            found += self._task_files[file].list_definitions(names)
        self.count_text(sum(map(len, found)))
        return found

    def _hooks(self, name: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield the hooks in a runner's configuration that refuse bytecode, with their stages."""
        content = self._load(name)
        whole = _mapping(content)
        # Up to pre-commit 1 the file was the list itself.
        repositories = content if isinstance(content, list) else whole.get("repos")
        for repository in _list(repositories):
            entry = _mapping(repository)
            source = _text(entry.get("repo"))
            is_ours = re.search(r"pycache[-_]guard", source) is not None
            for hook in map(_mapping, _list(entry.get("hooks"))):
                own = _stages(hook.get("stages"))
                identifier = _text(hook.get("id"))
                if is_ours and identifier in GUARDS:
                    yield identifier, own or GUARDS[identifier]
                elif source == "local" and (guard := _local_guard(hook)):
                    stages = own or _stages(whole.get("default_stages")) or EVERY_COMMIT
                    yield guard, stages

    def _lefthook_texts(self, name: str, stage: str, seen: set[object]) -> Iterator[str]:
        """Yield the commands of a file, and of those that it extends, each read once."""
        seen.add(name)
        whole = _mapping(self._load(name))
        for other in map(_text, _list(whole.get("extends"))):
            if other not in seen and len(seen) < MAX_EXTENDED_FILES:
                yield from self._lefthook_texts(other, stage, seen)
        hook = _mapping(whole.get(stage))
        if hook.get("skip") is True:
            return
        commands = [*_mapping(hook.get("commands")).values(), *_jobs(hook, {id(hook)})]
        scripts: list[tuple[object, object]] = [*_mapping(hook.get("scripts")).items()]
        scripts += [(j.get("script"), j) for j in map(_mapping, commands) if j.get("script")]
        for command in map(_mapping, commands):
            if command.get("skip") is not True and isinstance(run := command.get("run"), str):
                yield run
        directory = _text(whole.get("source_dir") or ".lefthook")
        for script, options in scripts:
            if _mapping(options).get("skip") is not True:
                yield self.read_text(os.path.join(directory, stage, _text(script)))

    def _load(self, name: str) -> object:
        """Return the parsed content of a configuration file. If it is invalid, return None and note the error."""
        name = os.path.normpath(name)
        if name not in self._read:
            self._read[name] = None
            try:
                self._read[name] = (
                    _parse(name, self.read_text(name)) if self.find((name,)) else None
                )
            except Unreadable as error:
                self.failures.append(f"{name}: {error}")
        return self._read[name]

    def read_text(self, name: str) -> str:
        """Return the content of a file in the work tree; empty if it cannot be read."""
        try:
            with regular.open_regular(os.path.join(self._top, name)) as file:
                return file.read(regular.MAX_TEXT_BYTES).decode("utf-8-sig", "surrogateescape")
        except OSError:
            return ""


def _parse(name: str, text: str) -> object:
    """Return the parsed content of a document. Raises `Unreadable`."""
    suffix = os.path.splitext(name)[1]
    if suffix in (".json", ".jsonc"):
        try:
            return json.loads(re.sub(r"(?m)^[^\S\n]*//.*$", "", text))
        except (ValueError, RecursionError):
            raise Unreadable("is not JSON") from None
    if suffix == ".toml":
        from pycache_guard.config import try_parse
        from pycache_guard.toml_tokens import rewrite_as_1_0

        # prek reads TOML 1.1, tomllib before Python 3.15 does not.
        document = try_parse(rewrite_as_1_0(text)[0])
        if isinstance(document, str):
            raise Unreadable(f"is not TOML: {document}")
        return document
    import yaml

    from pycache_guard.doctor.yaml_files import load_yaml

    try:
        return load_yaml(text)
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        words = " ".join(str(error).split())
        raise Unreadable(f"is not YAML: {words}") from None


def _local_guard(hook: dict[str, object]) -> str | None:
    """Return the id of our hook that runs the same command as a local hook, or None."""
    words = [_text(hook.get("entry")), *map(_text, _list(hook.get("args")))]
    command = " ".join(words)
    if not re.search(r"pycache[-_]guard", command):
        return None
    return next((guard for guard in GUARDS if re.search(rf"\b{guard}(?![\w-])", command)), None)


def _jobs(hook: dict[str, object], seen: set[int], depth: int = 0) -> Iterator[dict[str, object]]:
    """Yield the jobs of a hook or a group, and those of groups in it; each group once."""
    for job in map(_mapping, _list(hook.get("jobs"))):
        if job.get("skip") is True:
            continue
        yield job
        group = _mapping(job.get("group"))
        if depth < MAX_GROUP_DEPTH and id(group) not in seen:
            seen.add(id(group))
            yield from _jobs(group, seen, depth + 1)


def _stages(value: object) -> tuple[str, ...]:
    return tuple(STAGES.get(stage, stage) for stage in map(_text, _list(value)))


def _text(value: object) -> str:
    """Return a scalar as text; empty for a list or a mapping, which may contain itself."""
    return "" if isinstance(value, (dict, list)) else str(value)


def _mapping(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []
