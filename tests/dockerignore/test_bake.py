from __future__ import annotations

import json

import pytest

from pycache_guard.dockerignore.bake import read_bake, resolve_targets
from pycache_guard.dockerignore.values import UNKNOWN, Unreadable
from pycache_guard.fs.regular import MAX_TEXT_BYTES


def builds(content: bytes, *, is_json: bool = False) -> dict[str, tuple[object, ...]]:
    """Return each target, resolved: context, Dockerfile, additional contexts."""
    targets = read_bake(content, is_json=is_json)
    resolved = resolve_targets(targets)
    return {name: (t.context, t.dockerfile, t.named) for name, t in resolved.items()}


HCL: list[tuple[str, dict[str, tuple[object, ...]]]] = [
    ("", {}),
    ('group "g" { targets = ["a"] }\n', {}),
    ('target "a" {\n}\n', {"a": (None, None, {})}),
    ('target "a" { context = "x" }\n', {"a": ("x", None, {})}),
    ('target "a" {\n  context = "x" # c }\n  dockerfile = "D" // c\n}\n', {"a": ("x", "D", {})}),
    ('target a {\n  /* context = "no"\n */ context = null\n}\n', {"a": (None, None, {})}),
    (
        'target "a" {\n  contexts = {\n    l = "./l"\n    "i" = "docker-image://i",\n  }\n  args = { context = "no" }\n}\n',
        {"a": (None, None, {"l": "./l", "i": "docker-image://i"})},
    ),
    (
        'target "b" {\n context = "x"\n dockerfile = "D"\n}\ntarget "a" {\n inherits = ["b", "compose-service"]\n dockerfile = "E"\n}\n',
        {"b": ("x", "D", {}), "a": ("x", "E", {})},
    ),
    (
        'target "a" { context = "${V}/x" }\nvariable "V" { default = "v" }\n',
        {"a": ("v/x", None, {})},
    ),
    ('variable "V" {\n default = "v"\n}\ntarget "a" { context = V }\n', {"a": ("v", None, {})}),
    ('target "a" { dockerfile = "${m}/D" }\n', {"a": (None, UNKNOWN, {})}),
    (
        'x = 1\ntarget "a" {\n  args = {\n    b = join("}", ["{"])\n  }\n  matrix = { v = ["1"] }\n  labels { context = "no" }\n  tags = ["a",\n    "b"]\n  context = "x"\n}\n',
        {"a": ("x", None, {})},
    ),
    (
        'target "a" {\n  dockerfile-inline = <<EOT\nFROM x\n}\ncontext = "no"\nEOT\n  context = "a\\"b"\n}\n',
        {"a": ('a"b', None, {})},
    ),
    (
        'target "a" {\n  args = { b = "${c("${d}}", "e")} %{ if "{" }$${%{ endif }" }\n  context = "x"\n}\n',
        {"a": ("x", None, {})},
    ),
    (
        'target "a" {\n  args = { b = "${c /* " */ # "\n  + /2}" }\n  context = "x"\n}\n',
        {"a": ("x", None, {})},
    ),
    (
        'target "a" {\n  args = { b = "${<<E\n}"\nE\n}" }\n  context = "x"\n}\n',
        {"a": ("x", None, {})},
    ),
    (
        'target "a" {\r\n  dockerfile-inline = trim(<<-A-B\r\nRUN rm "/*\r\n  A-B \r\n  )\r\n  context = "x"\r\n}\r\n',
        {"a": ("x", None, {})},
    ),
    (
        'target "a" {\n  dockerfile-inline = <<E\nE\n  x { y { context = "no" }\n }\n  context = "x"\n}\n',
        {"a": ("x", None, {})},
    ),
    (
        "".join(f'target "t{n}" {{ inherits = ["t{n + 1}"] }}\n' for n in range(30))
        + 'target "t30" { context = "x" }\n',
        {f"t{n}": ("x", None, {}) for n in range(31)},
    ),
    ('function "f" {\n params = [x]\n result = "${x}"\n}\n', {}),
]


@pytest.mark.parametrize(("text", "expected"), HCL)
def test_bake_hcl_table(text: str, expected: dict[str, tuple[object, ...]]) -> None:
    assert builds(text.encode()) == expected


def test_bake_inline_dockerfile_is_kept() -> None:
    text = 'target "a" {\n  dockerfile-inline = <<EOT\nFROM x\nCOPY a b\nEOT\n}\n'
    assert "COPY a b" in (read_bake(text.encode(), is_json=False)["a"].inline or "")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({}, {}),
        ({"target": {"a": {}}}, {"a": (None, None, {})}),
        (
            {"target": {"a": {"context": "x", "dockerfile": "D", "contexts": {"l": "./l"}}}},
            {"a": ("x", "D", {"l": "./l"})},
        ),
        (
            {
                "variable": {"V": {"default": "v"}, "W": {}},
                "target": {"a": {"context": "${V}"}, "b": {"inherits": ["a"]}},
            },
            {"a": ("v", None, {}), "b": ("v", None, {})},
        ),
        ({"target": {"a": {"dockerfile-inline": "FROM x"}}}, {"a": (None, None, {})}),
    ],
)
def test_bake_json_table(found: object, expected: dict[str, tuple[object, ...]]) -> None:
    assert builds(json.dumps(found).encode(), is_json=True) == expected


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        (b'target "a" {\n  context = f("x")\n}\n', 2, "is an expression"),
        (b'target "a" {\n  context = "${x}"\n}\n', 2, "is an expression"),
        (b'target "a" {\n  contexts = merge(a, b)\n}\n', 2, "contexts are an expression"),
        (b'target "a" {\n  contexts = { for k in x : k = k }\n}\n', 2, "expression"),
        (b'target "a" {\n  contexts = { a }\n}\n', 2, "contexts are an expression"),
        (b'target "a" {\n  context = "x"\n', 1, "not closed"),
        (b'target "a" {', 1, "not closed"),
        (b'target "a" {\n tags = f(\n', 1, "not closed"),
        (b'target "a" {\n inherits = ["a"]\n}\n', 1, "inherits from itself"),
        (b'target "a" {\n inherits = ["b"]\n}\ntarget "b" { inherits = ["a"] }', 4, "`b` inherits"),
        (b'\ntarget "a', 2, "a string is not closed"),
        (b'\ntarget "${a', 2, "a string is not closed"),
        (b"\n/* a", 2, "a comment is not closed"),
        (b'\n"${/* a', 2, "a comment is not closed"),
        (b"\na = <<E\nb", 2, "a here-document is not closed"),
        (b"#" * (MAX_TEXT_BYTES + 1), 1, "larger than 1 MiB"),
        (b'target "a" {\n context = "%b"\n}\n' % (b"x" * 5000), 2, "more than 4096 characters"),
        (b"\xff", 1, "UTF-8"),
    ],
)
def test_bake_hcl_that_cannot_be_read_is_an_error_with_its_line(
    text: bytes, line: int, why: str
) -> None:
    with pytest.raises(Unreadable, match=why) as raised:
        builds(text)
    assert raised.value.line == line


@pytest.mark.parametrize(
    "text",
    [
        *(b"{", b"[]", b'{"target": []}', b'{"target": {"a": {"context": 1}}}', b"[" * 100_000),
        *(b"[%b]" % (b"9" * 5000), b'{"target": {"a": {"context": "${b}"}}}'),
    ],
)
def test_bake_json_that_cannot_be_read_is_an_error(text: bytes) -> None:
    with pytest.raises(Unreadable):
        builds(text, is_json=True)
