"""What compose files build: by tables, and against a whole parser of YAML."""

from __future__ import annotations

from itertools import chain

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pycache_guard.containers.compose import LARGEST
from pycache_guard.containers.compose import ComposeBuild
from pycache_guard.containers.compose import Included
from pycache_guard.containers.compose import builds
from pycache_guard.containers.yaml_nodes import Unreadable

#: The file, and `(line, context, dockerfile)` or `(line, file)` of what it says.
CASES: list[tuple[str, list[tuple[object, ...]]]] = [
    ("", []),
    ("# nothing\n---\nservices:\n", []),
    ("services:\n  a:\n    image: x\n", []),
    ("services:\n  a:\n    build: ./a  # here\n", [(3, "./a", None)]),
    ("services:\n  a:\n    build:\n      context: a#b\n", [(3, "a#b", None)]),
    (
        "services:\n  a:\n    build:\n      context: 'it''s'\n      dockerfile: \"x y\"\n",
        [(3, "it's", "x y")],
    ),
    ("services:\n  a:\n    build:\n      target: t\n", [(3, ".", None)]),
    ("services:\n  a:\n    build:\n      context:\n        ./far\n", [(3, "./far", None)]),
    ("services: {a: {build: .}, b: {image: x}}\n", [(1, ".", None)]),
    (
        "services:\n  a:\n    build: {context: x, args: [p, {q: r}], dockerfile: D}\n",
        [(3, "x", "D")],
    ),
    ("services:\n  a:\n    build:\n      {\n        context: x, # c\n      }\n", [(3, "x", None)]),
    ('services:\n  a: {"build": {context: "x", no_cache}}\n', [(2, "x", None)]),
    # Quotes within a plain scalar open nothing.
    (
        "services:\n  a:\n    command: [a\", '\"[']\n    build: x\n  b: {build: '}'}\n",
        [(4, "x", None), (5, "}", None)],
    ),
    (
        "services:\n  a:\n    build:\n      args: [a'']\n      context: 'b''c'\n      target: d''\n",
        [(3, "b'c", None)],
    ),
    # What goes on in the next line, and text in a list that ends where the next key stands.
    (
        "services:\n  a:\n    build:\n      &b {context: x,\n      dockerfile: D}\n  c: {build: *b}\n",
        [(3, "x", "D"), (3, "x", "D")],
    ),
    (
        "services:\n  a: &a\n    build: x\n  b:\n    &b\n    build: y\n",
        [(3, "x", None), (6, "y", None)],
    ),
    (
        "%YAML 1.2\n---\nservices:\n  a:\n    build: x\n      %\n      ---\n      ...\n...\n",
        [(5, "x % --- ...", None)],
    ),
    ("services:\n  a:\n    build: x\n      - y\n      - z\n", [(3, "x - y - z", None)]),
    ("services: {a: {build: x  y, image: z}}\n", [(1, "x  y", None)]),
    (
        "services:\n  a: {command: [a \"], build: x}\n  b: {build: 'y'}\n",
        [(2, "x", None), (3, "y", None)],
    ),
    ("services:\n  a:\n    image: 'it''\n      b'\n    build: x\n", [(5, "x", None)]),
    ("services:\n  a:\n    x-${A[0]}:\n      build: y\n    build: z\n", [(5, "z", None)]),
    (
        "include:\n  - env_file: |\n      a\n    path: p.yaml\nservices: {a: {build: .}}\n",
        [(4, "p.yaml"), (5, ".", None)],
    ),
    # Other keys, lists at the same depth, text that only looks like a build.
    (
        "services:\n  a:\n    ports:\n    - '80:80'\n    - target: 1\n      build: no\n    build: .\n",
        [(7, ".", None)],
    ),
    (
        "services:\n  a:\n    command: |\n      build: no\n\n      build: no\n    build: y\n",
        [(7, "y", None)],
    ),
    ("services:\n  a:\n    command: |\n      a\n\n      {b\n    build: y\n", [(7, "y", None)]),
    ("services:\n  a:\n    command: >-\n      x\n    build: y\n", [(5, "y", None)]),
    ('services:\n  a:\n    command: "x\n      build: no"\n    build: y\n', [(5, "y", None)]),
    (
        "services:\n  a:\n    command: '#\n      # x'\n    build: \"y\n      # z\" # c\n",
        [(5, "y # z", None)],
    ),
    ('services:\n  a:\n    command: "\\" # x\n      y"\n    build: y\n', [(5, "y", None)]),
    ('services:\n  a:\n    command: "\\" {\n      x: {"\n    build: y\n', [(5, "y", None)]),
    ('services:\n  a:\n    command: "\\\\"\n    build: y\n', [(4, "y", None)]),
    ("services:\n  a:\n    command: 'a\\'\n    build: y\n", [(4, "y", None)]),
    ("%YAML 1.2\n---\nservices:\n  a:\n    build: y\n...\n%YAML 1.2\n", [(5, "y", None)]),
    ("#" * LARGEST, []),
    ("services:\n  a:\n    command: x\n      y z\n    build: y\n", [(5, "y", None)]),
    ("x:\n  a:\n    build: no\nbuild: no\n", []),
    ("services:\n  - - build: no\n", []),
    ("services:\n  a:\n    build: 1\n    build: 2\n", [(4, "2", None)]),
    ("\ufeffservices:\r\n  a:\r\n    build: x\r\n", [(3, "x", None)]),
    ("services:\n  a:\n    build: !reset x\n", [(3, "x", None)]),
    # Aliases, merges.
    ("x-b: &b\n  context: c\nservices:\n  a:\n    build: *b\n", [(1, "c", None)]),
    ("x-a: &a\n  build: q\nservices:\n  a:\n    <<: *a\n  b: *a\n", [(2, "q", None)] * 2),
    (
        "x-a: &a\n  image: i\nx-c: &c !t\n  build: q\nservices:\n  a:\n    <<: [*a, *c]\n  b:\n    <<: *a\n",
        [(4, "q", None)],
    ),
    ("x: &d ./dir\nservices:\n  a:\n    build:\n      context: *d\n", [(4, "./dir", None)]),
    # Variables with a default, and a dollar that is none.
    ("services:\n  a:\n    build: ${D:-x}/${E-y}/$$z\n", [(3, "x/y/$z", None)]),
    ("services:\n  a:\n    build: .${D:-}${E-}\n", [(3, ".", None)]),
    # No directory of this machine.
    *(
        (f"services:\n  a:\n    build: {remote}\n", [])
        for remote in (
            "https://example.com/a.git#main:d",
            "git@example.com:a/b",
            "github.com/a/b",
            "../a.git",
            "service:web".replace(":", "://"),
        )
    ),
    # Other files.
    ("include:\n  - a.yaml\n  - oci://x/y\n", [(2, "a.yaml")]),
    ("include: [a.yaml, {path: b.yaml}]\n", [(1, "a.yaml"), (1, "b.yaml")]),
    ("include:\n  - path:\n      - a.yaml\n      - b.yaml\n", [(3, "a.yaml"), (4, "b.yaml")]),
    ("services:\n  a:\n    extends:\n      file: c.yml\n      service: s\n", [(4, "c.yml")]),
    ("services:\n  a:\n    extends:\n      service: s\n    build: .\n", [(5, ".", None)]),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_what_is_built(text: str, expected: list[tuple[object, ...]]) -> None:
    assert [tuple(item) for item in builds(text.encode())] == expected


def service(build: str) -> str:
    """Return a file with one service."""
    return f"services:\n  a:\n    build: {build}\n"


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        (service("$DIR"), 3, "`$DIR` depends on the environment"),
        (service("${DIR}/x"), 3, "`${DIR}/x` depends on the environment"),
        (service("${DIR:?must}"), 3, "`${DIR:?must}` depends on the environment"),
        (service('"a\\tb"'), 3, "escapes in a path are not read"),
        (service("*b"), 3, "the alias `*b` leads nowhere"),
        (service("&b *b"), 3, "the alias `*b` leads nowhere"),
        (service("{context: [a]}"), 3, "`context` is no string"),
        (service("\n      context:\n        a: b"), 4, "`context` is no string"),
        (service("{context: a"), 3, "what is opened is not closed"),
        (service("{a: b :c}"), 3, "its flow style is not understood"),
        (service("{a: }}]"), 3, "its flow style is not understood"),
        (service("{a: " + "[" * 5000 + "]" * 5000 + "}"), 3, "its flow style is not understood"),
        ("services:\n\ta: b\n", 2, "a tab cannot indent"),
        ("a: b\x0bc\x1cd\r\n" + service("$DIR"), 4, "`$DIR` depends on the environment"),
        ("\n{services:\n  a", 1, "what is opened is not closed"),
        ("services: &s\n  <<: *s\n", 2, "its aliases do not end"),
        ("services: \xff", 1, "it is not UTF-8"),
        ("#" * (LARGEST + 1), 1, "the file is larger than compose files are"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_not_understood_is_said(text: str, line: int, why: str) -> None:
    with pytest.raises(Unreadable) as unreadable:
        list(builds(text.encode("latin-1")))
    assert (unreadable.value.line, str(unreadable.value)) == (line, why)


@given(st.text("abuild:services {}[]-&*<'\"#|>\n\t$", max_size=60))
def test_any_text_is_read_or_not_understood(text: str) -> None:
    try:
        found = list(builds(text.encode()))
    except Unreadable:
        return
    assert all(isinstance(item, (ComposeBuild, Included)) for item in found)


SCALARS = st.text("ab c./:-#'\"&*{}[],!|>%@", min_size=1, max_size=8)
BUILDS = st.one_of(
    SCALARS,
    st.fixed_dictionaries(
        {"context": SCALARS}, optional={"dockerfile": SCALARS, "args": st.lists(SCALARS)}
    ),
)
SERVICES = st.dictionaries(
    st.from_regex(r"[a-z]{1,3}", fullmatch=True),
    st.fixed_dictionaries(
        {}, optional={"build": BUILDS, "command": st.lists(SCALARS), "image": SCALARS}
    ),
    max_size=3,
)


@given(SERVICES, st.sampled_from([False, True, None]), st.sampled_from([None, "'", '"']))
def test_what_a_whole_parser_writes(
    services: dict[str, dict[str, object]], flow: bool | None, quotes: str | None
) -> None:
    text = yaml.safe_dump(
        {"version": "3", "services": services},
        default_flow_style=flow,
        default_style=quotes,
        width=20,
    )
    expected = []
    for found in yaml.safe_load(text)["services"].values():
        build = found.get("build")
        if isinstance(build, dict):
            expected.append((build["context"], build.get("dockerfile")))
        elif build:
            expected.append((build, None))
    if "\\" in text or any(
        mark in part for part in chain(*expected) if part for mark in ("://", ".git")
    ):
        return
    try:
        told = [
            (b.context, b.dockerfile) for b in builds(text.encode()) if isinstance(b, ComposeBuild)
        ]
    except Unreadable:
        # In flow style a quote within a scalar that has none around it is not understood.
        if flow is False or quotes:
            raise
    else:
        assert told == [(str(context), file and str(file)) for context, file in expected]
