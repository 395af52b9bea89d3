"""What a compose file builds: compose-spec `build.md`, `13-merge.md`, `14-include.md`, `12-interpolation.md`."""

from __future__ import annotations

import re
from typing import NamedTuple

from pycache_guard.containers.yaml_nodes import Node
from pycache_guard.containers.yaml_nodes import Unreadable
from pycache_guard.containers.yaml_nodes import members
from pycache_guard.containers.yaml_nodes import parsed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

#: More than people write, in bytes.
LARGEST = 1 << 20

#: Contexts that are no directories of this machine.
_REMOTE = re.compile(
    r"[a-z][a-z0-9+.-]*://.* | git@.* | github\.com/.* | .*\.git(?:\#.*)?", re.VERBOSE
)

_VARIABLE = re.compile(r"\$(?:(\$)|\{\w+:?-([^{}$]*)\}|)")

#: So many aliases may lead on to each other.
_FOLLOWED = 20


class ComposeBuild(NamedTuple):
    """One `build:`; paths as the file has them, from its own directory."""

    line: int
    context: str
    #: From the context; `None` where none is named.
    dockerfile: str | None


class Included(NamedTuple):
    """Another file that this one takes services from."""

    line: int
    file: str


def builds(content: bytes) -> Iterator[ComposeBuild | Included]:
    """Yield what is built from a local directory, and which files say more.

    Raises `Unreadable` for what the reader does not understand, and for a path that depends on the
    environment.
    """
    if len(content) > LARGEST:
        raise Unreadable(1, "the file is larger than compose files are")
    try:
        root = parsed(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise Unreadable(1, "it is not UTF-8") from None
    document = Document(root)
    for item in document.members(root, "include"):
        yield from document.included(item)
    for service in document.members(root, "services"):
        extended = document.get(service, "extends")
        file = extended and document.get(extended, "file")
        if file:
            yield Included(file.line, document.scalar(file))
        build = document.get(service, "build")
        if build:
            yield from document.build(build)


class Document:
    """A parsed file, its aliases and merges followed."""

    def __init__(self, root: Node) -> None:
        self._anchors = {node.anchor: node for node in walked(root) if node.anchor}

    def build(self, node: Node) -> Iterator[ComposeBuild]:
        """Yield the build of a service, if its context is a directory."""
        node = self._followed(node)
        is_short = bool(node.value) and not node.value.startswith("{")
        named = node if is_short else self.get(node, "context")
        dockerfile = None if is_short else self.get(node, "dockerfile")
        context = self.scalar(named) if named else "."
        if not _REMOTE.fullmatch(context):
            yield ComposeBuild(node.line, context, self.scalar(dockerfile) if dockerfile else None)

    def included(self, item: Node) -> Iterator[Included]:
        """Yield the files that an item of `include` names."""
        paths = self.get(item, "path")
        for path in members(paths) or [paths] if paths else [item]:
            file = self.scalar(path)
            if not _REMOTE.fullmatch(file):
                yield Included(path.line, file)

    def members(self, node: Node, key: str) -> list[Node]:
        """Return what stands below a key, nothing where there is no such key."""
        found = self.get(node, key)
        return members(self._followed(found)) if found else []

    def get(self, node: Node, key: str, depth: int = 0) -> Node | None:
        """Return the value of a key, its own or merged in by `<<`; the last of several."""
        if depth > _FOLLOWED:
            raise Unreadable(node.line, "its aliases do not end")
        children = members(self._followed(node))
        own = [child for child in children if child.key == key]
        if own:
            return own[-1]
        for merge in [child for child in children if child.key == "<<"]:
            for source in members(merge) or [merge]:
                found = self.get(source, key, depth + 1)
                if found:
                    return found
        return None

    def scalar(self, node: Node) -> str:
        """Return a string. Raises `Unreadable` where it is none, or not known here."""
        node = self._followed(node)
        text = node.value
        if node.children or text[:1] in ("{", "["):
            raise Unreadable(node.line, f"`{node.key}` is no string")
        if text[:1] == "'":
            text = text[1:-1].replace("''", "'")
        elif text[:1] == '"':
            text = text[1:-1]
            if "\\" in text:
                raise Unreadable(node.line, "escapes in a path are not read")
        return _VARIABLE.sub(lambda match: self._known(match, node), text)

    def _known(self, match: re.Match[str], node: Node) -> str:
        if match[1] or match[2] is not None:
            return match[1] or match[2]
        raise Unreadable(node.line, f"`{node.value}` depends on the environment")

    def _followed(self, node: Node) -> Node:
        """Return the node that an alias stands for."""
        for _ in range(_FOLLOWED):
            if not node.value.startswith("*"):
                return node
            target = self._anchors.get(node.value[1:])
            if target is None:
                break
            node = target
        raise Unreadable(node.line, f"the alias `{node.value}` leads nowhere")


def walked(root: Node) -> Iterator[Node]:
    """Yield every node in block style, whatever the depth, in no order that matters."""
    pending = [root]
    while pending:
        node = pending.pop()
        yield node
        pending += node.children
