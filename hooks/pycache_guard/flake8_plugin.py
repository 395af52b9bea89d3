"""The flake8 plugin with the rules PYC4xx (entry point group `flake8.extension`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycache_guard import __version__
from pycache_guard.lint import lint

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator


class Plugin:
    """The class that flake8 calls for each file.

    flake8 passes arguments by the names of the parameters
    (https://flake8.pycqa.org/en/latest/plugin-development/plugin-parameters.html).
    """

    name = "pycache-guard"
    version = __version__

    def __init__(self, tree: ast.Module, filename: str, lines: list[str]) -> None:
        self._tree = tree
        self._filename = filename
        self._lines = lines

    def run(self) -> Iterator[tuple[int, int, str, type]]:
        """Yield line (from 1), column (from 0, in characters), text and type of each finding.

        flake8 applies `# noqa` itself.
        """
        for found in lint(self._tree, self._lines, self._filename):
            text = f"{found.rule.name} {found.message}; {found.hint}"
            yield found.line or 1, (found.column or 1) - 1, text, type(self)
