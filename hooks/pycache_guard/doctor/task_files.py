"""Find the definitions of make rules and tasks, in time that grows with the text."""

from __future__ import annotations

import re
from heapq import heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_TASK_HEAD = re.compile(
    r"\[(?:[\w.:-]*[.:])?([\w-]+)\]|(?:async\s+)?def\s+(\w+)|(?=[^:=]*[:=])[\"']?([\w-]+)"
)


class Makefile:
    """The rules of a Makefile."""

    def __init__(self, text: str) -> None:
        #: By target: prerequisites and recipe of each rule.
        self._rules: dict[str, list[tuple[str, list[str]]]] = {}
        recipe: list[str] = []
        for line in text.split("\n"):
            if line.startswith("\t"):
                recipe.append(line)
                continue
            recipe = []
            target, colon, needed = line.partition(":")
            if colon and "=" not in needed:
                rule = (needed.removeprefix(":"), recipe)
                self._rules.setdefault(target.rstrip(), []).append(rule)

    def list_recipes(self, targets: Iterable[str]) -> list[str]:
        """Return the recipe lines of targets and their prerequisites."""
        found: list[str] = []
        pending = sorted({*targets})
        seen = {*pending}
        while pending:
            for needed, recipe in self._rules.get(heappop(pending), ()):
                for line in recipe:
                    found += [part.lstrip("\t@-+") for part in line.splitlines()]
                for word in {*needed.split(";")[0].split()} - seen:
                    seen.add(word)
                    heappush(pending, word)
        return found


class TaskFile:
    """The definitions in the file of a task runner.

    A definition starts with `NAME:`, `NAME =`, `def NAME` or `[testenv:NAME]`, and ends with its
    indentation or with the next table.
    """

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        #: By name: the numbers of lines where a definition starts, and whether it is a table.
        self._heads: dict[str, list[tuple[int, bool]]] = {}
        for number, line in enumerate(self._lines):
            if head := _TASK_HEAD.match(line.lstrip()):
                name = head[1] or head[2] or head[3]
                self._heads.setdefault(name, []).append((number, bool(head[1])))

    def list_definitions(self, names: Iterable[str]) -> Iterator[str]:
        """Yield the definitions of tasks; one that is in another one is not repeated."""
        end = 0
        for number, is_table in sorted(
            head for name in names for head in self._heads.get(name, ())
        ):
            if number >= end:
                block = [*self._take_block(number, is_table=is_table)]
                end = number + len(block)
                yield "\n".join(block)

    def _take_block(self, number: int, *, is_table: bool) -> Iterator[str]:
        """Yield a line and those that belong to it."""
        first = self._lines[number]
        yield first
        depth = len(first) - len(first.lstrip())
        for at in range(number + 1, len(self._lines)):
            line = self._lines[at]
            ends = line.startswith("[") if is_table else len(line) - len(line.lstrip()) <= depth
            if line.strip() and ends:
                return
            yield line
