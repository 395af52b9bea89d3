"""What a Bake file builds: the Bake file reference of Docker Buildx, in JSON and in HCL.

Of HCL the blocks, strings, lists and maps are read, and the defaults of variables. An expression in
a place that matters is `Unreadable`.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from pycache_guard.dockerignore.hcl import Token, split_tokens
from pycache_guard.dockerignore.values import (
    UNKNOWN,
    Unreadable,
    ValueCount,
    decode_file,
    require_short,
    shorten,
)

_VARIABLE = re.compile(r"\$\{\s*(\w+)\s*\}")


class Target(NamedTuple):
    """A target; what is None is inherited, or has its default."""

    line: int
    context: str | None
    #: `UNKNOWN` for an expression.
    dockerfile: str | None
    inline: str | None
    #: Additional contexts by name.
    named: dict[str, str]
    inherits: list[str]

    def merge(self, above: Target) -> Target:
        """Return this target with what `above` has of its own."""
        return Target(
            above.line,
            self.context if above.context is None else above.context,
            self.dockerfile if above.dockerfile is None else above.dockerfile,
            self.inline if above.inline is None else above.inline,
            {**self.named, **above.named},
            above.inherits or self.inherits,
        )


def read_bake(content: bytes, *, is_json: bool) -> dict[str, Target]:
    """Return the targets of a file by name. Raises `Unreadable`."""
    text = decode_file(content)
    return read_json(text) if is_json else Reader(text).targets()


def resolve_targets(targets: dict[str, Target]) -> dict[str, Target]:
    """Return the targets with inherited values; the last inherited target counts most.

    One that is not in these files may be a service of a compose file. Raises `Unreadable` for a circle.
    """
    resolved: dict[str, Target] = {}
    count = ValueCount()
    for start, first in targets.items():
        #: The targets that wait for others, with what is left of their list.
        waiting = {} if start in resolved else {start: iter(first.inherits)}
        while waiting:
            name, parents = waiting.popitem()
            target = targets[name]
            parent = next((p for p in parents if p in targets and p not in resolved), None)
            if parent is not None:
                waiting[name] = parents
                if parent in waiting:
                    raise Unreadable(target.line, f"its target `{name}` inherits from itself")
                waiting[parent] = iter(targets[parent].inherits)
                continue
            below = Target(target.line, None, None, None, {}, [])
            for above in filter(resolved.__contains__, target.inherits):
                count.add(1 + len(below.named) + len(resolved[above].named), target.line)
                below = below.merge(resolved[above])
            resolved[name] = below.merge(target)
    return {name: resolved[name] for name in targets}


def read_json(text: str) -> dict[str, Target]:
    """Return the targets of a JSON file."""
    try:
        found = json.loads(text)
        targets = found.get("target", {})
        variables = {
            name: value["default"]
            for name, value in found.get("variable", {}).items()
            if isinstance(value.get("default"), str)
        }
        return {
            name: Target(
                1,
                replaced(target.get("context"), variables, 1),
                replaced(target.get("dockerfile"), variables, 1),
                None
                if target.get("dockerfile-inline") is None
                else str(target["dockerfile-inline"]),
                {
                    key: replaced(value, variables, 1) or ""
                    for key, value in target.get("contexts", {}).items()
                },
                [str(name) for name in target.get("inherits", [])],
            )
            for name, target in targets.items()
        }
    except json.JSONDecodeError as error:
        raise Unreadable(error.lineno, f"it is not JSON: {error.msg}") from None
    except Unreadable:
        raise
    except (AttributeError, TypeError, ValueError, RecursionError):  # also a number of 5000 digits
        raise Unreadable(1, "it is not a Bake file") from None


def replaced(text: str | None, variables: dict[str, str], line: int) -> str | None:
    """Return a string with its variables replaced by their defaults. Raises `Unreadable`."""
    if text is None:
        return None
    require_short(text, line)
    length = len(text)

    def value(match: re.Match[str]) -> str:
        nonlocal length
        found = variables.get(match[1], match[0])
        length += len(found)
        return require_short(found, line, length)

    found = _VARIABLE.sub(value, text)
    if "${" in found:
        raise Unreadable(line, f"`{shorten(text)}` is an expression")
    return found.replace("$${", "${")


class Reader:
    """Reads HCL."""

    def __init__(self, text: str) -> None:
        self._tokens = [*split_tokens(text)]
        self._at = 0
        self._variables: dict[str, str] = {}

    def targets(self) -> dict[str, Target]:
        """Return the targets; variables may follow them."""
        blocks = [*self._blocks()]
        for kind, label, body in blocks:
            default = body.get("default")
            if kind == "variable" and default and [t.kind for t in default] == ["string"]:
                self._variables[label] = unquoted(default[0].text)
        return {label: self._target(body) for kind, label, body in blocks if kind == "target"}

    def _blocks(self) -> list[tuple[str, str, dict[str, list[Token]]]]:
        """Return kind, label and attributes of each block at the top; functions and groups too."""
        found = []
        while self._at < len(self._tokens):
            head = self._until(("{", "=", "\n"))
            mark = self._take()
            if mark and mark.text == "{":
                label = unquoted(head[1].text) if len(head) > 1 else ""
                line = head[0] if head else mark
                body = self._body()
                body.setdefault("", [line])
                found.append((head[0].text if head else "", label, body))
            elif mark and mark.text == "=":
                self._until(("\n",))
        return found

    def _body(self) -> dict[str, list[Token]]:
        """Return the attributes of a block, up to its `}`; of blocks inside it nothing."""
        found: dict[str, list[Token]] = {}
        depth = 1
        while depth:
            head = self._until(("{", "}", "=", "\n"))
            mark = self._take()
            if mark is None:
                raise Unreadable(head[0].line if head else 1, "a block is not closed")
            depth += (mark.text == "{") - (mark.text == "}")
            if mark.text == "=" and head:
                value = self._expression()
                if depth == 1:
                    found[unquoted(head[-1].text)] = value
        return found

    def _expression(self) -> list[Token]:
        """Return the tokens of a value: up to the end of the line, or the `}` of its block."""
        depth, found = 0, []
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            if not depth and (token.kind == "newline" or token.text == "}"):
                break
            if token.kind in ("mark", "other"):
                depth += sum(map(token.text.count, "{[(")) - sum(map(token.text.count, "}])"))
            self._at += 1
            if token.kind != "newline":
                found.append(token)
        return found

    def _until(self, marks: tuple[str, ...]) -> list[Token]:
        found = []
        while self._at < len(self._tokens) and self._tokens[self._at].text not in marks:
            found.append(self._tokens[self._at])
            self._at += 1
        return found

    def _take(self) -> Token | None:
        token = self._tokens[self._at] if self._at < len(self._tokens) else None
        self._at += 1
        return token

    def _target(self, body: dict[str, list[Token]]) -> Target:
        inline = body.get("dockerfile-inline")
        return Target(
            body[""][0].line,
            self._string(body.get("context")),
            self._path_or_unknown(body.get("dockerfile")),
            "".join(token.text for token in inline) if inline else None,
            self._map(body.get("contexts")),
            self._list(body.get("inherits")),
        )

    def _string(self, tokens: list[Token] | None) -> str | None:
        """Return a string, or the default of the variable that stands for one."""
        if not tokens:
            return None
        (token, *more) = tokens
        if not more and token.kind == "string":
            return replaced(unquoted(token.text), self._variables, token.line)
        if not more and token.text in self._variables:
            return require_short(self._variables[token.text], token.line)
        if not more and token.text == "null":
            return None
        words = shorten(" ".join(t.text for t in tokens))
        raise Unreadable(token.line, f"`{words}` is an expression")

    def _path_or_unknown(self, tokens: list[Token] | None) -> str | None:
        try:
            return self._string(tokens)
        except Unreadable:
            return UNKNOWN

    def _list(self, tokens: list[Token] | None) -> list[str]:
        items = [t for t in tokens or [] if t.text not in ("[", "]", ",")]
        return [self._string([token]) or "" for token in items]

    def _map(self, tokens: list[Token] | None) -> dict[str, str]:
        """Return a map of strings, its entries `name = value` or `"name" = value`."""
        if not tokens:
            return {}
        if tokens[0].text != "{" or tokens[-1].text != "}":
            raise Unreadable(tokens[0].line, "its contexts are an expression")
        found: dict[str, str] = {}
        rest = [token for token in tokens[1:-1] if token.text != ","]
        for name, *others in (rest[at : at + 3] for at in range(0, len(rest), 3)):
            if len(others) < 2 or others[0].text not in ("=", ":"):
                raise Unreadable(name.line, "its contexts are an expression")
            found[unquoted(name.text)] = self._string(others[1:]) or ""
        return found


def unquoted(text: str) -> str:
    """Return the text of a string token, and of any other as it is."""
    if text[:1] != '"':
        return text
    return re.sub(r'\\(["\\])', r"\1", text[1:-1])
