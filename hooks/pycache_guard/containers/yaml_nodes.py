"""As much of YAML as compose files are written in: mappings, lists and scalars, in both styles.

The standard library has no parser of YAML, and one from an extra would be missing from most hooks'
environments without a word. What this one does not understand it calls `Unreadable`, and guesses
nothing. YAML 1.2.2, chapters 6 to 8.
"""

from __future__ import annotations

import re

#: What ends a line in the YAML that compose reads (go-yaml, `is_break`); `str.splitlines` has more.
BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
#: A key, a colon, and a value behind a blank.
_ENTRY = re.compile(r"""("[^"\\]*"|'[^']*'|[^\s"'{}\[\],#&*!|>@`%][^"'#]*?)\s*:(?:\s+(.*))?""")
_PROPERTIES = re.compile(r"(?:!\S*(?:\s+|$))?(?:&(\S+)(?:\s+|$))?(?:!\S*(?:\s+|$))?")
_BLOCK_SCALAR = re.compile(r"[|>][0-9+-]*")
_ITEM = re.compile(r"-(?:\s+|$)")
#: In flow style: a quoted scalar, a mark, or a plain one.
_TOKEN = re.compile(
    r"""\s*("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'(?!')|[{}\[\],]|:(?=[\s,}\]]|$)|(?!["'])(?:[^\s{}\[\],:]|:(?=\S)|\s+(?=[^\s{}\[\],:#]))+)\s*"""
)


class Unreadable(ValueError):
    """Not of this subset; `line` is 1-based."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


class Node:
    """The value of a key, an item of a list (whose key is `-`), or the whole document."""

    def __init__(self, key: str, line: int, indent: int, value: str = "", anchor: str = "") -> None:
        self.key = key
        self.line = line
        self.indent = indent
        #: A scalar, an alias or a flow collection as it is written; empty where `children` follow.
        self.value = value
        self.anchor = anchor
        self.children: list[Node] = []


def parsed(text: str) -> Node:
    """Return the document. Raises `Unreadable`."""
    root = Node("", 1, -1)
    stack = [root]
    skipped = -1
    for number, line in enumerate(BREAK.split(text.removeprefix("\ufeff")), start=1):
        rest = line.lstrip(" ")
        indent = len(line) - len(rest)
        if skipped >= 0 and (indent > skipped or not rest):
            continue
        skipped = -1
        if is_open(stack[-1].value):
            _, quote = tokens(stack[-1].value)
            stack[-1].value += " " + uncommented(rest, quote)[0]
            continue
        rest, _ = uncommented(rest)
        if not rest or line.startswith(("---", "%", "...")):
            continue
        if rest[0] == "\t":
            raise Unreadable(number, "a tab cannot indent")
        # What is indented more than a scalar goes on with it, whatever it looks like.
        goes_on = stack[-1].value and indent > stack[-1].indent
        added = [] if goes_on else place(stack, number, indent, rest)
        if not added and stack[-1].value:
            stack[-1].value += f" {rest}"
        elif not added:
            put(stack[-1], rest)
        elif _BLOCK_SCALAR.fullmatch(stack[-1].value):
            stack[-1].value, skipped = "", stack[-1].indent
    if is_open(stack[-1].value):
        raise Unreadable(stack[-1].line, "what is opened is not closed")
    return root


def place(stack: list[Node], line: int, indent: int, rest: str) -> list[Node]:
    """Put the entries that a line begins where they belong; return them, none for a continuation."""
    added: list[Node] = []
    while item := _ITEM.match(rest):
        added.append(push(stack, Node("-", line, indent)))
        indent, rest = indent + item.end(), rest[item.end() :]
    entry = _ENTRY.fullmatch(rest)
    if entry:
        key, value = entry[1].strip("\"'"), entry[2] or ""
        added.append(push(stack, Node(key, line, indent)))
    elif added:
        value = rest
    else:
        return []
    put(stack[-1], value)
    return added


def put(node: Node, value: str) -> None:
    """Give a node its value, or what stands in front of one: a tag, an anchor."""
    properties = _PROPERTIES.match(value)
    assert properties is not None
    node.anchor = properties[1] or node.anchor
    node.value = value[properties.end() :]


def push(stack: list[Node], node: Node) -> Node:
    """Make `node` a child of the last one that is less indented; a list may stand below its key."""
    while stack[-1].indent > node.indent or (
        stack[-1].indent == node.indent and not (node.key == "-" != stack[-1].key)
    ):
        stack.pop()
    stack[-1].children.append(node)
    stack.append(node)
    return node


def uncommented(text: str, quote: str = "") -> tuple[str, str]:
    """Return a line without its comment, and the quote that is open at its end.

    `quote` is the one that is open at its start; empty for none.
    """
    before, escaped, closes = " ", False, False
    for at, character in enumerate(text):
        if quote:
            closes = character == quote and not escaped
            escaped = character == "\\" and quote == '"' and not escaped
            quote = "" if closes else quote
        elif character in "\"'" and (
            before in " \t{[,:" or (closes and before == character == "'")
        ):
            quote = character  # `''` in single quotes is one
        elif character == "#" and before in " \t":
            return text[:at].rstrip(), ""
        else:
            closes = False
        before = character
    return text.rstrip(), quote


def is_open(value: str) -> bool:
    """Whether a value goes on in the next line, be it quoted or in flow style."""
    if value[:1] not in ("'", '"', "{", "["):
        return False
    found, quote = tokens(value)
    return bool(quote) or sum(map(found.count, "{[")) > sum(map(found.count, "}]"))


def tokens(value: str) -> tuple[list[str], str]:
    """Return the tokens of a value in flow style, and the quote that is open at its end, if one is."""
    found: list[str] = []
    at = 0
    while at < len(value):
        match = _TOKEN.match(value, at)
        if match is None:
            return found, value[at:].lstrip()[:1]
        found.append(match[1].strip())
        at = match.end()
    return found, ""


def members(node: Node) -> list[Node]:
    """Return the children of a node, be they written in block or in flow style."""
    if node.value[:1] not in ("{", "["):
        return node.children
    rest, _ = tokens(node.value)
    try:
        whole = flow(rest, node.line, "-")
    except (IndexError, RecursionError):
        rest = ["…"]
    if rest:
        raise Unreadable(node.line, "its flow style is not understood")
    return whole.children


def flow(tokens: list[str], line: int, key: str) -> Node:
    """Take the value of `key` from the start of `tokens`. Raises `IndexError` where one is missing."""
    first = tokens.pop(0)
    if first not in ("{", "["):
        return Node(key, line, 0, first)
    node = Node(key, line, 0)
    while tokens[0] not in ("}", "]"):
        name = "-"
        if first == "{":
            name = tokens.pop(0).strip("\"'")
            tokens[:1] = [] if tokens[0] == ":" else ["", tokens[0]]
        node.children.append(flow(tokens, line, name))
        if tokens[0] == ",":
            tokens.pop(0)
        elif tokens[0] not in ("}", "]"):
            raise IndexError
    tokens.pop(0)
    return node
