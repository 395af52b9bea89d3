"""Read YAML without constructing what people do not write: numbers, dates, and merges that multiply.

It is imported only if such a file exists, as is PyYAML.
"""

from __future__ import annotations

import yaml

from pycache_guard.dockerignore.compose import Document
from pycache_guard.dockerignore.values import ValueCount

_TAG = "tag:yaml.org,2002:"


def load_yaml(text: str) -> object:
    """Return the content of a document; its scalars are texts, booleans and None.

    Raises `yaml.YAMLError`, `ValueError` or `RecursionError`.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    return None if root is None else _Builder().build(root)


class _Builder:
    """Makes lists and dicts of nodes; an alias is the object itself."""

    def __init__(self) -> None:
        self._document = Document(ValueCount())
        #: By the node's `id`.
        self._built: dict[int, object] = {}

    def build(self, node: yaml.Node) -> object:
        """Return the object for a node."""
        if isinstance(node, yaml.ScalarNode):
            return _build_scalar(node)
        if id(node) not in self._built:
            if isinstance(node, yaml.SequenceNode):
                items: list[object] = []
                self._built[id(node)] = items
                items += map(self.build, node.value)
            else:
                keys: dict[str, object] = {}
                self._built[id(node)] = keys
                found = self._document.mapping(node)
                keys.update((key, self.build(value)) for key, (_, value) in found.items())
        return self._built[id(node)]


def _build_scalar(node: yaml.ScalarNode) -> object:
    if node.tag == f"{_TAG}null":
        return None
    return node.value.lower() in ("true", "yes", "on") if node.tag == f"{_TAG}bool" else node.value
