from __future__ import annotations

import pytest

from pycache_guard.dockerignore.devcontainer import read_devcontainer
from pycache_guard.dockerignore.values import WORKSPACE, Unreadable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", (None, ".", ())),
        ('{"build": {"dockerfile": "D"}}', ("D", ".", ())),
        ('{"build": {"dockerfile": "D", "context": ".."}}', ("D", "..", ())),
        ('{"build": {"dockerfile": "D", "context": null}}', ("D", ".", ())),
        ('{"dockerFile": "D", "context": ".."}', ("D", "..", ())),
        ('{"dockerComposeFile": "a.yml"}', (None, ".", ("a.yml",))),
        ('{"dockerComposeFile": ["../a.yml", "b.yml"]}', (None, ".", ("../a.yml", "b.yml"))),
        (
            '{"build": {"dockerfile": "D", "context": "${localWorkspaceFolder}/x"}}',
            ("D", f"{WORKSPACE}/x", ()),
        ),
        (
            (
                '\ufeff// a "quote\n{ /* { */ "image": "a//b", // "x": [],\n  "build": {"dockerfile": "D",},\n'
                '  "a": [1, 2, // c\n  ],\n  // "b": {\n}\n'
            ),
            ("D", ".", ()),
        ),
        ('{"a": "\\" // no", "dockerFile": "/*,]"}', ("/*,]", ".", ())),
        ('{"build": "x"}', (None, ".", ())),
    ],
)
def test_devcontainer_builds_table(text: str, expected: tuple[object, ...]) -> None:
    assert read_devcontainer(text.encode()) == expected


@pytest.mark.parametrize(
    ("content", "line", "why"),
    [
        (b"{\n\n  x}", 3, "not JSON"),
        (b"\xff", 1, "not UTF-8"),
        (b"[" * 100_000, 1, "not JSON"),
        (b"[]", 1, "not an object"),
        (b'{"dockerFile": ["a"]}', 1, "not a string"),
        (b'{"dockerFile": "${localEnv:X}/D"}', 1, "depends on the environment"),
    ],
)
def test_devcontainer_that_cannot_be_read_is_an_error_with_its_line(
    content: bytes, line: int, why: str
) -> None:
    with pytest.raises(Unreadable, match=why) as raised:
        read_devcontainer(content)
    assert raised.value.line == line
