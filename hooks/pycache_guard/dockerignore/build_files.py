"""Find the builds of compose, Bake and devcontainer files in the index. Paths start at the top."""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.dockerignore.names import (
    bake_files,
    base_of_override,
    is_main_compose_file,
    join,
)
from pycache_guard.dockerignore.values import (
    UNKNOWN,
    WORKSPACE,
    Unreadable,
    ValueCount,
    encode_path,
    interpolate,
    interpolate_or_unknown,
    is_remote,
    read_environment,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized

    from pycache_guard.dockerignore.bake import Target
    from pycache_guard.dockerignore.compose import ComposeFile, ServiceBuild
    from pycache_guard.dockerignore.values import Value

#: The deepest nesting of includes and `extends`.
MAX_DEPTH = 20
#: A text of this length counts as one more value.
CHARS_PER_VALUE = 16
WHAT_TO_DO = "pass the contexts to check as arguments"


class ComposeBuild(NamedTuple):
    """One build. Paths are bytes, relative to the top, which is `b""`."""

    context: bytes
    #: Empty for an inline Dockerfile, and for an additional context, which has none of its own.
    dockerfile: bytes
    #: The text of the Dockerfile, where it is known from elsewhere than its file.
    inline: bytes | None = None


class Files:
    """The files of the index that builds need."""

    def __init__(self, paths: Iterable[bytes], read: Callable[[bytes], bytes | None]) -> None:
        #: Every path, and every directory above one.
        self.paths = set(paths)
        self.directories = {b""}
        for path in self.paths:
            above = posixpath.dirname(path)
            while above not in self.directories:
                self.directories.add(above)
                above = posixpath.dirname(above)
        #: Returns the content of a file by path, None for one that is not tracked.
        self.read = read


class BuildFiles:
    """Collects builds, and adds a line with its place to `failures` for each unknown value."""

    def __init__(self, files: Files, failures: list[str]) -> None:
        self.found: list[ComposeBuild] = []
        self._files = files
        self._failures = failures
        self._parsed: dict[bytes, ComposeFile | None] = {}
        #: Sets of files that have been read as one project, with its directory.
        self._projects: set[tuple[tuple[bytes, ...], bytes]] = set()
        #: Files that another one reads with a project directory that is not their own.
        self._claimed: set[bytes] = set()
        #: What each `.env` file has.
        self._variables: dict[bytes, dict[str, str]] = {}
        #: What `_find_extended` returns of other files.
        self._services: dict[bytes, dict[str, tuple[bytes, ServiceBuild]]] = {}
        self._count = ValueCount()

    def read_devcontainers(self, paths: Iterable[bytes]) -> None:
        """Collect the builds of `devcontainer.json` files; before compose files, some of which they claim."""
        for path in paths:
            from pycache_guard.dockerignore.devcontainer import read_devcontainer

            name = os.fsdecode(path)
            base = posixpath.dirname(path)
            try:
                found = read_devcontainer(self._files.read(path) or b"")
            except Unreadable as why:
                self._failures.append(f"{name}:{why.line}: {why}; {WHAT_TO_DO}")
                continue
            files = [
                f for text in found.compose_files for f in self._resolve_local(base, text, name)
            ]
            if files:
                self._claimed.update(files[1:])
                self._read_project(files, posixpath.dirname(files[0]), name)
            if found.dockerfile is not None:
                # Both are seen from the file, unlike anywhere else.
                for dockerfile in self._resolve_local(base, found.dockerfile, name):
                    for context in self._resolve_local(base, found.context, name):
                        self._add(context, dockerfile, None)

    def read_compose_files(self, paths: Sequence[bytes]) -> None:
        """Collect the builds of compose files, each alone and merged with the file it overrides."""
        for path in paths:
            self._claimed.update(self._includes(path))
        for path in paths:
            if path in self._claimed:
                continue
            base = base_of_override(path)
            directory = posixpath.dirname(path)
            names = [name for name in base if name in self._files.paths]
            below_it = names[:1] or self._main_file_for(path, paths)
            self._read_project([*below_it, path], directory, None)

    def read_bake_files(self, paths: Sequence[bytes]) -> None:
        """Collect what Bake files build: those of one directory are merged, as `buildx bake` does."""
        if not paths:
            return
        from pycache_guard.dockerignore.bake import read_bake, resolve_targets

        for directory in sorted({posixpath.dirname(path) for path in paths}):
            targets: dict[str, Target] = {}
            for path in bake_files(directory):
                if path not in self._files.paths:
                    continue
                name = os.fsdecode(path)
                try:
                    found = read_bake(
                        self._files.read(path) or b"", is_json=path.endswith(b".json")
                    )
                    for label, target in found.items():
                        below_it = targets.get(label)
                        targets[label] = below_it.merge(target) if below_it else target
                    resolved = [*resolve_targets(targets).values()]
                    for target in resolved:
                        self._count_build(target.named, target.inline, target.line)
                except Unreadable as why:
                    self._failures.append(f"{name}:{why.line}: {why}; {WHAT_TO_DO}")
                    continue
                for target in resolved:
                    inline = encode_path(target.inline) if target.inline is not None else None
                    where = f"{name}:{target.line}"
                    context = (target.context or ".").removeprefix("cwd://") or "."
                    named = [text.removeprefix("cwd://") for text in target.named.values()]
                    self._add_build(directory, context, target.dockerfile, inline, where)
                    self._add_named_contexts(directory, named, where)

    def _includes(self, path: bytes) -> Iterator[bytes]:
        """Yield what a compose file includes as a part of something: merged, or seen from elsewhere."""
        file = self._parse(path)
        for include in file.includes if file else ():
            if include.project_directory is not None or len(include.paths) > 1:
                for value in include.paths:
                    base = posixpath.dirname(path)
                    yield posixpath.normpath(posixpath.join(base, encode_path(value.text)))

    def _main_file_for(self, path: bytes, paths: Sequence[bytes]) -> list[bytes]:
        """Return the file below one that gives only a part of a service's build.

        `compose -f compose.yaml -f compose.dev.yaml` merges them. A build without a context is such a
        part where a main file of the directory has the service.
        """
        file = self._parse(path)
        if file is None or is_main_compose_file(path):
            return []
        parts = {
            name for name, build in file.services.items() if build.is_built and not build.context
        }
        directory = posixpath.dirname(path)
        for other in paths if parts else ():
            if posixpath.dirname(other) == directory and is_main_compose_file(other):
                main = self._parse(other)
                if main and any(name in parts and b.is_built for name, b in main.services.items()):
                    return [other]
        return []

    def _parse(self, path: bytes) -> ComposeFile | None:
        """Return a compose file, None for one that cannot be read, which is reported once."""
        from pycache_guard.dockerignore.compose import is_template, read_compose

        if path not in self._parsed:
            self._parsed[path] = None
            content = self._files.read(path)
            name = os.fsdecode(path)
            if content is None:
                self._failures.append(
                    f"{name}: another file refers to it, but git does not track it"
                )
                return None
            try:
                self._parsed[path] = read_compose(content)
            except Unreadable as why:
                if not is_template(content):
                    self._failures.append(f"{name}:{why.line}: {why}; {WHAT_TO_DO}")
        return self._parsed[path]

    def _environment(
        self, directory: bytes, more: Sequence[bytes] = (), above: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """Return the variables of the tracked `.env` of a project, and of other such files.

        Those of an including project, `above`, come first.
        """
        found: dict[str, str] = {}
        files = dict.fromkeys([*reversed(more), join(directory, b".env")])
        for path in reversed(files):
            try:
                if path not in self._variables:
                    self._variables[path] = {}
                    self._variables[path] = read_environment(self._files.read(path) or b"")
                variables = self._variables[path]
                self._count.add((len(variables) + len(above or ())) // CHARS_PER_VALUE, 1)
            except Unreadable as why:
                self._failures.append(f"{os.fsdecode(path)}:{why.line}: {why}; {WHAT_TO_DO}")
                continue
            found.update(variables)
        return {**found, **(above or {})}

    def _read_project(
        self,
        paths: Sequence[bytes],
        directory: bytes,
        where: str | None,
        environment: Mapping[str, str] | None = None,
        depth: int = 0,
    ) -> None:
        """Collect what files, merged in their order, build in a project directory."""
        key = (tuple(paths), directory)
        if key in self._projects:
            return
        self._projects.add(key)
        if depth > MAX_DEPTH:
            self._failures.append(f"{where}: its includes form a cycle")
            return
        try:
            for path in paths:
                self._count_project(self._parse(path))
        except Unreadable as why:
            self._failures.append(f"{os.fsdecode(path)}: {why}; {WHAT_TO_DO}")
            return
        known = self._environment(directory) if environment is None else environment
        services: dict[str, tuple[bytes, ServiceBuild]] = {}
        for path in paths:
            file = self._parse(path)
            if file is None:
                continue
            for name, build in file.services.items():
                merged = services[name][1].merge(build) if name in services else build
                services[name] = (path, merged)
            self._read_includes(path, file, directory, known, depth)
        for path, build in services.values():
            try:
                self._add_service(path, build, directory, known, services, 0)
            except Unreadable as why:
                self._failures.append(f"{os.fsdecode(path)}:{why.line}: {why}; {WHAT_TO_DO}")

    def _count_project(self, file: ComposeFile | None) -> None:
        """Count what reading a file as a part of a project takes. Raises `Unreadable`."""
        if file is not None:
            values = sum(1 + len(build.named) for build in file.services.values())
            self._count.add(1 + values + len(file.includes), 1)

    def _count_build(self, named: Sized, inline: str | None, line: int) -> None:
        """Count what a build takes. Raises `Unreadable`."""
        self._count.add(1 + len(named) + len(inline or "") // CHARS_PER_VALUE, line)

    def _interpolate(self, value: Value, environment: Mapping[str, str]) -> str:
        self._count.add(1 + len(value.text) // CHARS_PER_VALUE, value.line)
        return interpolate(value, environment)

    def _read_includes(
        self,
        path: bytes,
        file: ComposeFile,
        directory: bytes,
        environment: Mapping[str, str],
        depth: int,
    ) -> None:
        for include in file.includes:
            where = f"{os.fsdecode(path)}:{include.line}"
            try:
                texts = [self._interpolate(value, environment) for value in include.paths]
                files = [
                    found
                    for text in texts
                    if not is_remote(text)
                    for found in self._resolve_local(directory, text, where)
                ]
                project = include.project_directory
                text = self._interpolate(project, environment) if project else None
                more = [
                    found
                    for value in include.environment_files
                    for found in self._resolve_local(
                        directory, self._interpolate(value, environment), where
                    )
                ]
            except Unreadable as why:
                self._failures.append(f"{os.fsdecode(path)}:{why.line}: {why}; {WHAT_TO_DO}")
                continue
            if not files:
                continue
            places = [posixpath.dirname(files[0])]
            if text is not None:
                places = [*self._resolve_local(directory, text, where)]
            for place in places:
                # What the including project knows comes first.
                known = self._environment(place, more, environment)
                self._read_project(files, place, where, known, depth + 1)

    def _add_service(
        self,
        path: bytes,
        build: ServiceBuild,
        directory: bytes,
        environment: Mapping[str, str],
        services: Mapping[str, tuple[bytes, ServiceBuild]],
        depth: int,
    ) -> None:
        """Collect the build of a service; where it has no context, from the service it extends."""
        where = f"{os.fsdecode(path)}:{build.line}"
        if build.extends and not build.context:
            if depth > MAX_DEPTH:
                raise Unreadable(build.line, "its `extends` form a cycle")
            base = self._find_extended(path, build, directory, environment, services)
            if base is not None and (base[1].is_built or base[1].extends):
                self._add_named_of_service(build, directory, environment, where)
                build = build._replace(named=())
                base_path, base_build, base_directory, base_services = base
                self._count_build(base_build.named, None, build.line)
                merged = base_build.merge(build._replace(extends=base_build.extends))
                self._add_service(
                    base_path, merged, base_directory, environment, base_services, depth + 1
                )
                return
        if not build.is_built:
            return
        self._count_build(build.named, build.inline, build.line)
        context = self._interpolate(build.context, environment) if build.context else "."
        named = build.dockerfile
        dockerfile = interpolate_or_unknown(named, environment) if named else None
        inline = encode_path(build.inline) if build.inline is not None else None
        self._add_build(directory, context or ".", dockerfile, inline, where)
        self._add_named_of_service(build, directory, environment, where)

    def _add_named_of_service(
        self, build: ServiceBuild, directory: bytes, environment: Mapping[str, str], where: str
    ) -> None:
        """Collect the additional contexts of a service."""
        texts = [self._interpolate(value, environment) for _, value in build.named]
        self._add_named_contexts(directory, texts, where)

    def _find_extended(
        self,
        path: bytes,
        build: ServiceBuild,
        directory: bytes,
        environment: Mapping[str, str],
        services: Mapping[str, tuple[bytes, ServiceBuild]],
    ) -> tuple[bytes, ServiceBuild, bytes, Mapping[str, tuple[bytes, ServiceBuild]]] | None:
        """Return the service that another one extends, with where its paths are seen from."""
        extends = build.extends
        assert extends is not None
        if extends.file is None:
            if extends.service not in services:
                raise Unreadable(
                    extends.line, f"it extends `{extends.service}`, which does not exist"
                )
            base_path, base = services[extends.service]
            return base_path, base, directory, services
        text = self._interpolate(extends.file, environment)
        if is_remote(text):
            return None
        where = f"{os.fsdecode(path)}:{extends.line}"
        for file_path in self._resolve_local(directory, text, where):
            file = self._parse(file_path)
            if file is None:
                return None
            if extends.service not in file.services:
                raise Unreadable(
                    extends.line, f"it extends `{extends.service}`, which does not exist"
                )
            if file_path not in self._services:
                found = {name: (file_path, base) for name, base in file.services.items()}
                self._services[file_path] = found
            others = self._services[file_path]
            return (*others[extends.service], posixpath.dirname(file_path), others)
        return None

    def _add_build(
        self,
        base: bytes,
        context: str,
        dockerfile: str | None,
        inline: bytes | None,
        where: str,
    ) -> None:
        """Add a build, whose Dockerfile is seen from its context."""
        if not is_remote(context):
            for place in self._resolve_local(base, context, where):
                directory = self._find_existing(base, place, context)
                if inline is not None or UNKNOWN in (dockerfile or ""):
                    self._add(directory, b"", inline)
                    continue
                for file in self._resolve_local(directory, dockerfile or "Dockerfile", where):
                    self._add(directory, file, None)

    def _add_named_contexts(self, base: bytes, contexts: Iterable[str], where: str) -> None:
        """Add additional contexts. BuildKit reads the `.dockerignore` at the top of each."""
        for text in contexts:
            if not is_remote(text):
                for place in self._resolve_local(base, text, where):
                    self._add(self._find_existing(base, place, text), b"", None)

    def _add(self, context: bytes, dockerfile: bytes, inline: bytes | None) -> None:
        self.found.append(ComposeBuild(context, dockerfile, inline))

    def _find_existing(self, base: bytes, place: bytes, text: str) -> bytes:
        """Return a context; one that exists only relative to a directory above is taken from there.

        `--project-directory` and the first of several `-f` set the directory that paths start from.
        """
        while base and place not in self._files.directories:
            base = posixpath.dirname(base)
            other = posixpath.normpath(posixpath.join(base, encode_path(text)))
            if other in self._files.directories and other != b".":
                return other
        return place

    def _resolve_local(self, base: bytes, path: str, where: str) -> Iterator[bytes]:
        """Yield `path`, seen from `base`, as one from the top, if it is in the repository."""
        text = path.replace("\\", "/")
        if text.startswith(WORKSPACE):  # the directory that is opened: the top
            base, text = b"", text[1:].lstrip("/") or "."
        joined = posixpath.normpath(posixpath.join(base, encode_path(text)))
        is_home = text == "~" or text.startswith("~/")
        is_drive = text[1:3] == ":/"
        if is_home or is_drive or (joined + b"/").startswith((b"/", b"../")):
            self._failures.append(f"{where}: {path} is outside the repository and not checked")
        else:
            yield b"" if joined == b"." else joined
