"""What compose files build: by tables, and against PyYAML's own loader."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pycache_guard.dockerignore.compose import (
    ComposeFile,
    is_template,
    read_compose,
)
from pycache_guard.dockerignore.values import Unreadable
from pycache_guard.fs.regular import MAX_TEXT_BYTES


def short(file: ComposeFile) -> dict[str, object]:
    """Return each built service with line, context, Dockerfile and named contexts, as they are written."""
    return {
        name: (
            build.line,
            build.context and build.context.text,
            build.dockerfile and build.dockerfile.text,
            {key: value.text for key, value in build.named},
        )
        for name, build in file.services.items()
        if build.is_built
    }


#: The file, and its builds.
BUILDS: list[tuple[str, dict[str, object]]] = [
    ("", {}),
    ("# nothing\n---\nservices:\n", {}),
    ("- a\n- b\n", {}),
    ("services:\n- docker:dind\nbuild:\n  script: x\n", {}),
    ("services:\n  a:\n    image: x\n", {}),
    ("services:\n  a:\n    build:\n", {}),
    ("services:\n  a:\n    build: !reset x\n", {}),
    ("services:\n  a:\n    build: ./a  # here\n", {"a": (3, "./a", None, {})}),
    ("services:\n  a:\n    build:\n      context: a#b\n", {"a": (3, "a#b", None, {})}),
    (
        "services:\n  a:\n    build:\n      context: 'it''s'\n      dockerfile: \"x\\ty\"\n",
        {"a": (3, "it's", "x\ty", {})},
    ),
    ("services:\n  a:\n    build:\n      target: t\n", {"a": (3, None, None, {})}),
    ("services:\n  a:\n    build:\n      context:\n        ./far\n", {"a": (3, "./far", None, {})}),
    ("services: {a: {build: .}, b: {image: x}}\n", {"a": (1, ".", None, {})}),
    ("services:\n  a:\n    build: 1\n", {"a": (3, "1", None, {})}),
    ("services:\n  a:\n    profiles: [x]\n    build: y\n", {"a": (4, "y", None, {})}),
    ("services:\n  a:\n    build: 1\n    build: 2\n", {"a": (4, "2", None, {})}),
    ("\ufeffservices:\r\n  a:\r\n    build: x\r\n", {"a": (3, "x", None, {})}),
    ("services:\n  a:\n    command: |\n      build: no\n    build: y\n", {"a": (5, "y", None, {})}),
    # Additional contexts, in both forms.
    (
        "services:\n  a:\n    build:\n      context: a\n      additional_contexts:\n        l: ./l\n        i: docker-image://i\n",
        {"a": (3, "a", None, {"l": "./l", "i": "docker-image://i"})},
    ),
    (
        "services:\n  a:\n    build:\n      additional_contexts: [l=./l=x, s=service:b]\n",
        {"a": (3, None, None, {"l": "./l=x", "s": "service:b"})},
    ),
    ("services:\n  a:\n    build:\n      additional_contexts:\n", {"a": (3, None, None, {})}),
    # Several documents are merged.
    (
        "services:\n  a:\n    build: x\n---\nservices:\n  a:\n    build: {dockerfile: D}\n  b: {build: y}\n",
        {"a": (7, "x", "D", {}), "b": (8, "y", None, {})},
    ),
    (
        "services:\n  a:\n    build:\n      dockerfile_inline: FROM x\n---\nservices: {a: {build: {dockerfile: D}}}\n",
        {"a": (6, None, "D", {})},
    ),
    # Aliases, anchors, merge keys.
    ("x-b: &b\n  context: c\nservices:\n  a:\n    build: *b\n", {"a": (5, "c", None, {})}),
    (
        "x-a: &a\n  build: q\nservices:\n  a:\n    <<: *a\n  b: *a\n",
        {"a": (2, "q", None, {}), "b": (2, "q", None, {})},
    ),
    (
        "x-a: &a\n  image: i\nx-c: &c\n  build: q\nservices:\n  a:\n    <<: [*a, *c]\n",
        {"a": (4, "q", None, {})},
    ),
    (
        "x-a: &a {build: p}\nx-c: &c {build: q}\nservices:\n  a:\n    <<: [*a, *c]\n  b:\n    build: r\n    <<: *a\n",
        {"a": (1, "p", None, {}), "b": (7, "r", None, {})},
    ),
    (
        "x: &d ./dir\nservices:\n  a:\n    build:\n      context: *d\n",
        {"a": (4, "./dir", None, {})},
    ),
    # The first format.
    ("web:\n  build: .\ndb:\n  image: x\n", {"web": (2, ".", None, {})}),
    ("web:\n  build: .\n  dockerfile: D\n", {"web": (2, ".", "D", {})}),
    ("version: '3'\nvolumes:\n  a: {build: no}\nx-b:\n  build: no\nname: n\n", {}),
    ("a: [build, x]\nb:\n  c: build\n", {}),
    ("services:\n  [a, b]: {build: x}\n  c: {build: y}\n", {"c": (3, "y", None, {})}),
]


@pytest.mark.parametrize(("text", "expected"), BUILDS)
def test_compose_builds_table(text: str, expected: dict[str, object]) -> None:
    assert short(read_compose(text.encode())) == expected


def test_compose_inline_dockerfile_is_kept() -> None:
    text = "services:\n  a:\n    build:\n      dockerfile_inline: |\n        FROM x\n        COPY . .\n"
    (build,) = read_compose(text.encode()).services.values()
    assert build.inline == "FROM x\nCOPY . .\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("services: {a: {extends: b}}", ("b", None)),
        ("services: {a: {extends: {service: b}}}", ("b", None)),
        ("services: {a: {extends: {service: b, file: c.yml}}}", ("b", "c.yml")),
        ("services: {a: {extends: }}", None),
    ],
)
def test_compose_extends_table(text: str, expected: tuple[str, str | None] | None) -> None:
    (build,) = read_compose(text.encode()).services.values()
    found = build.extends
    assert (found and (found.service, found.file and found.file.text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("include:\n", []),
        ("include: a.yml\n", [(1, ["a.yml"], None, [])]),
        ("include:\n- a.yml\n- b.yml\n", [(2, ["a.yml"], None, []), (3, ["b.yml"], None, [])]),
        ("include:\n- path: a.yml\n", [(2, ["a.yml"], None, [])]),
        (
            "include:\n- path: [a, b]\n  project_directory: d\n  env_file: e\n",
            [(2, ["a", "b"], "d", ["e"])],
        ),
        ("include: [{path: a, env_file: [e, f]}]\n", [(1, ["a"], None, ["e", "f"])]),
    ],
)
def test_compose_includes_table(text: str, expected: list[object]) -> None:
    assert [
        (
            include.line,
            [path.text for path in include.paths],
            include.project_directory and include.project_directory.text,
            [file.text for file in include.environment_files],
        )
        for include in read_compose(text.encode()).includes
    ] == expected


@pytest.mark.parametrize(
    ("content", "line", "why"),
    [
        (b"services:\n  a:\n\tb: c\n", 3, "it is not YAML"),
        (b"services: {a\n", 2, "it is not YAML"),
        (b"a: *b\n", 1, "it is not YAML: found undefined alias"),
        (b"a: 'b\n", 2, "it is not YAML"),
        (b"a: \x01\n", 1, "it is not YAML"),
        (b'a: "\\U00110000"\n', 1, "it is not YAML"),
        (b'a: "\\UFFFFFFFF"\n', 1, "it is not YAML"),
        (b"%YAML 2.0\n---\na: b\n", 1, "it is not YAML"),
        (b"\xff\n", 1, "it is not UTF-8"),
        (b"#" * (MAX_TEXT_BYTES + 1), 1, "larger than 1 MiB"),
        (b"[" * 5000, 1, "nested too deeply"),
        (b"a: &a\n  <<: *a\nservices:\n  b:\n    <<: *a\n", 1, "merge keys form a cycle"),
        (b"services:\n  a:\n    build:\n      context: [x]\n", 4, "in place of a string"),
        (
            b"services:\n  a:\n    build:\n      additional_contexts: [{a: b}]\n",
            4,
            "in place of a string",
        ),
        (b"services:\n  a:\n    extends: {file: x}\n", 3, "does not name a service"),
    ],
)
def test_compose_file_that_cannot_be_read_is_an_error_with_its_line(
    content: bytes, line: int, why: str
) -> None:
    with pytest.raises(Unreadable, match=why) as raised:
        read_compose(content)
    assert raised.value.line == line


def test_compose_aliases_that_multiply_are_read_once() -> None:
    """Ten merges of ten merges, twelve times over, would be a billion of them."""
    lines = ["x0: &x0 {build: q}"]
    lines += [f"x{n}: &x{n}\n  <<: [{', '.join([f'*x{n - 1}'] * 10)}]" for n in range(1, 13)]
    text = "\n".join([*lines, "services: {a: *x12}"])
    assert short(read_compose(text.encode())) == {"a": (1, "q", None, {})}


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"{% if a %}", True), (b"a: {{ b }}", True), (b"<%= a %>", True), (b"a: b", False)],
)
def test_is_template_table(content: bytes, expected: bool) -> None:
    assert is_template(content) == expected


PATHS = st.text("ab/.-_ #:'\"", min_size=1, max_size=8)


@given(st.dictionaries(st.sampled_from("abc"), PATHS | st.dictionaries(st.just("context"), PATHS)))
def test_compose_builds_agree_with_the_loader_of_pyyaml(
    services: dict[str, str | dict[str, str]],
) -> None:
    """What PyYAML writes, in either style, is read as it was."""
    builds = {name: {"build": build} for name, build in services.items()}
    for flow in (True, False, None):
        text = yaml.safe_dump({"services": builds}, default_flow_style=flow)
        found = {
            name: build.context and build.context.text
            for name, build in read_compose(text.encode()).services.items()
            if build.is_built
        }
        assert found == {
            name: build if isinstance(build, str) else build.get("context")
            for name, build in services.items()
        }
