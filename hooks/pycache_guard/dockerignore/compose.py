"""What a compose file builds.

Compose specification: `build.md`, `05-services.md` (`extends`), `13-merge.md`, `14-include.md`; and the
first format, whose top-level keys are services. PyYAML composes nodes and constructs nothing, so lines
stay known and no tag is followed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import yaml

from pycache_guard.dockerignore.values import Unreadable, Value, ValueCount, require_small

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    #: By key: the line of the key, and the value.
    Mapping: TypeAlias = dict[str, tuple[int, yaml.Node]]

#: Merges and aliases may lead on to each other this often.
MAX_ALIAS_DEPTH = 20
#: Keys at the top that are no services of the first format (compose-spec `03-compose-file.md`).
_TOP_LEVEL = frozenset(
    [
        "configs",
        "include",
        "models",
        "name",
        "networks",
        "secrets",
        "services",
        "version",
        "volumes",
    ]
)
#: What templates have, and YAML files that Compose reads have not.
_TEMPLATE = re.compile(rb"\{\{|\{%|<%|\[\[")


class Extends(NamedTuple):
    """The service from which another one takes its keys; `file` is None for the same file."""

    service: str
    file: Value | None
    line: int


class ServiceBuild(NamedTuple):
    """The `build` of a service in one file. Paths are as written there."""

    line: int
    #: Whether the service has a `build` at all.
    is_built: bool = False
    context: Value | None = None
    dockerfile: Value | None = None
    #: The text of a Dockerfile.
    inline: str | None = None
    #: `additional_contexts`, by name.
    named: tuple[tuple[str, Value], ...] = ()
    extends: Extends | None = None

    def merge(self, above: ServiceBuild) -> ServiceBuild:
        """Return this build with what a later file has in `above`."""
        dockerfile, inline = self.dockerfile, self.inline
        if above.dockerfile is not None or above.inline is not None:
            dockerfile, inline = above.dockerfile, above.inline
        return ServiceBuild(
            above.line if above.is_built else self.line,
            self.is_built or above.is_built,
            above.context or self.context,
            dockerfile,
            inline,
            tuple({**dict(self.named), **dict(above.named)}.items()),
            above.extends or self.extends,
        )


class Include(NamedTuple):
    """Files that are merged, and whose services are taken in."""

    line: int
    paths: tuple[Value, ...]
    project_directory: Value | None
    environment_files: tuple[Value, ...]


class ComposeFile(NamedTuple):
    """What one file has."""

    services: dict[str, ServiceBuild]
    includes: list[Include]


def read_compose(content: bytes) -> ComposeFile:
    """Return the services and includes of a file; several documents are merged, as Compose does.

    Raises `Unreadable` for a file that is not YAML, and for values of the wrong type.
    """
    services: dict[str, ServiceBuild] = {}
    includes: list[Include] = []
    count = ValueCount()
    for root in compose_documents(content):
        document = Document(count)
        top = document.mapping(root)
        if "include" in top:
            includes += map(document.include, document.items(top["include"][1]))
        if "services" in top:
            found = document.mapping(top["services"][1])
        else:
            found = read_first_format(document, top)
        for name, (line, node) in found.items():
            build = document.service(node, line)
            if name in services:
                count.add(len(services[name].named) + len(build.named), line)
                build = services[name].merge(build)
            services[name] = build
    return ComposeFile(services, includes)


def compose_documents(content: bytes) -> list[yaml.Node]:
    """Return the root of each document. Raises `Unreadable`."""
    require_small(content)
    try:
        text = content.decode("utf-8").removeprefix("\ufeff")
        found = yaml.compose_all(text, Loader=yaml.SafeLoader)
        return [root for root in found if isinstance(root, yaml.MappingNode)]
    except UnicodeDecodeError:
        raise Unreadable(1, "it is not UTF-8") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise Unreadable(line, f"it is not YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        why = str(error).partition("\n")[0]
        raise Unreadable(1, f"it is not YAML: {why}") from None
    except RecursionError:
        raise Unreadable(1, "it is nested too deeply") from None
    except (OverflowError, ValueError) as error:  # PyYAML's, of an escape or a version too large
        raise Unreadable(1, f"it is not YAML: {error}") from None


def is_template(content: bytes) -> bool:
    """Return whether a file that is not YAML is a template from which a compose file is made."""
    return _TEMPLATE.search(content) is not None


def read_first_format(document: Document, top: Mapping) -> Mapping:
    """Return the services of a file without `services`: mappings with `build` or `image`."""
    return {
        key: (line, node)
        for key, (line, node) in top.items()
        if key not in _TOP_LEVEL
        and not key.startswith("x-")
        and not {"build", "image"}.isdisjoint(document.mapping(node))
    }


class Document:
    """Reads the nodes of a document: merge keys are followed, aliases are the nodes themselves."""

    def __init__(self, count: ValueCount) -> None:
        self._count = count
        #: What `mapping` has read, by the node's `id`.
        self._mappings: dict[int, Mapping] = {}

    def service(self, node: yaml.Node, line: int) -> ServiceBuild:
        """Return the build of a service."""
        keys = self.mapping(node)
        extends = self.extends(*keys["extends"]) if "extends" in keys else None
        if "build" not in keys:
            return ServiceBuild(line, extends=extends)
        line, build = keys["build"]
        if is_null(build):
            return ServiceBuild(line, extends=extends)
        if isinstance(build, yaml.ScalarNode):
            # In the first format `dockerfile` is next to `build`.
            dockerfile = self.optional(keys, "dockerfile")
            context = Value(build.value, line)
            return ServiceBuild(
                line, is_built=True, context=context, dockerfile=dockerfile, extends=extends
            )
        parts = self.mapping(build)
        inline = self.optional(parts, "dockerfile_inline")
        additional = parts.get("additional_contexts")
        return ServiceBuild(
            line,
            is_built=True,
            context=self.optional(parts, "context"),
            dockerfile=self.optional(parts, "dockerfile"),
            inline=inline.text if inline else None,
            named=tuple(self.additional_contexts(*additional)) if additional else (),
            extends=extends,
        )

    def extends(self, line: int, node: yaml.Node) -> Extends | None:
        """Return what a service extends: a service of this file by name, or of another one."""
        if is_null(node):
            return None
        if isinstance(node, yaml.ScalarNode):
            return Extends(node.value, None, line)
        keys = self.mapping(node)
        service = self.optional(keys, "service")
        if service is None:
            raise Unreadable(line, "`extends` does not name a service")
        return Extends(service.text, self.optional(keys, "file"), line)

    def additional_contexts(self, line: int, node: yaml.Node) -> Iterator[tuple[str, Value]]:
        """Yield the additional contexts, written as a mapping or as a list of `NAME=VALUE`."""
        if isinstance(node, yaml.CollectionNode):
            self._count.add(len(node.value), line)
        if isinstance(node, yaml.SequenceNode):
            for item in self.items(node):
                name, _, text = self.scalar(item, line_of(item)).text.partition("=")
                yield name, Value(text, line_of(item))
        elif not is_null(node):
            for name, (key_line, value) in self.mapping(node).items():
                yield name, self.scalar(value, key_line)

    def include(self, node: yaml.Node) -> Include:
        """Return an item of `include`: a path, or a mapping with `path` and more."""
        line = line_of(node)
        if isinstance(node, yaml.ScalarNode):
            return Include(line, (Value(node.value, line),), None, ())
        keys = self.mapping(node)
        return Include(
            line,
            self.scalars(keys, "path"),
            self.optional(keys, "project_directory"),
            self.scalars(keys, "env_file"),
        )

    def scalars(self, keys: Mapping, key: str) -> tuple[Value, ...]:
        """Return the strings at a key, where one may stand for a list of one."""
        line, node = keys.get(key, (0, None))
        if isinstance(node, yaml.SequenceNode):
            self._count.add(len(node.value), line)
            return tuple(self.scalar(item, line_of(item)) for item in node.value)
        return (self.scalar(node, line),) if node is not None and not is_null(node) else ()

    def optional(self, keys: Mapping, key: str) -> Value | None:
        """Return the string at a key, None where it is missing, empty or reset."""
        line, node = keys.get(key, (0, None))
        return None if node is None or is_null(node) else self.scalar(node, line)

    def scalar(self, node: yaml.Node, line: int) -> Value:
        """Return a string. Raises `Unreadable` for anything else."""
        if not isinstance(node, yaml.ScalarNode):
            raise Unreadable(line, "a mapping or a list is in place of a string")
        return Value(node.value, line)

    def items(self, node: yaml.Node | None) -> list[yaml.Node]:
        """Return the items of a list; another value counts as a list of one, an empty one as an empty list."""
        if node is None or is_null(node):
            return []
        return list(node.value) if isinstance(node, yaml.SequenceNode) else [node]

    def mapping(self, node: yaml.Node, depth: int = 0) -> Mapping:
        """Return line and value by key, the last of several; own keys come before what `<<` merges.

        Empty for another node. Each node is read once. Raises `Unreadable` for merges without end.
        """
        if depth > MAX_ALIAS_DEPTH:
            raise Unreadable(line_of(node), "its merge keys form a cycle")
        if not isinstance(node, yaml.MappingNode):
            return {}
        found = self._mappings.get(id(node))
        if found is None:
            merged: Mapping = {}
            own: Mapping = {}
            for key, value in node.value:
                if key.tag == "tag:yaml.org,2002:merge":
                    for source in reversed(self.items(value)):
                        above = self.mapping(source, depth + 1)
                        self._count.add(1 + len(above), line_of(key))
                        merged.update(above)
                elif isinstance(key, yaml.ScalarNode):
                    own[key.value] = (line_of(key), value)
            found = self._mappings[id(node)] = {**merged, **own}
        return found


def is_null(node: yaml.Node) -> bool:
    """Return whether a value is empty, or removed by Compose's `!reset`."""
    return node.tag in ("tag:yaml.org,2002:null", "!reset")


def line_of(node: yaml.Node) -> int:
    """Return the line of a node, from 1."""
    return node.start_mark.line + 1
