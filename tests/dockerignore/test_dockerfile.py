from __future__ import annotations

import pytest

from pycache_guard.dockerignore.dockerfile import MAX_SOURCES, read_sources
from pycache_guard.dockerignore.values import UNKNOWN

#: A Dockerfile behind `FROM x`, and what it takes from its context.
TAKEN = [
    ("RUN true", []),
    ("COPY . .", ["."]),
    ("copy a b /c/", ["a", "b"]),
    ("COPY /a/../b/ /", ["b"]),
    ("COPY ../x /", ["x"]),
    ('COPY ["a b", "c", "/d"]', ["a b", "c"]),
    ("COPY [ab] /d", ["[ab]"]),
    ("COPY --chown=a:b --link a /", ["a"]),
    ("COPY --from=builder a /", []),
    ("COPY --chown=x --FROM=builder a /", []),
    ("ADD https://example.com/x a.tar /", ["a.tar"]),
    ("ADD git@github.com:a/b /", []),
    ("COPY a \\\n  # comment\n  b \\\n\n  /c", ["a", "b"]),
    ("COPY <<EOT /a\nCOPY no no\nEOT\nCOPY b /", ["b"]),
    ("RUN <<'A' cat && <<-B cat\nCOPY no no\nA\nCOPY no no\n\tB\nCOPY b /", ["b"]),
    ("RUN <<EOT\nCOPY no no", []),
    ("RUN --mount=type=bind,source=s,target=/t true", ["s"]),
    ("RUN --mount=target=/t true", ["."]),
    ("RUN --mount=type=bind,src=s --mount=type=cache,target=/c true", ["s"]),
    ("RUN --mount=type=bind,from=x,source=s true", []),
    ("RUN --mount=type=secret,id=s true", []),
    ("ARG D=src\nCOPY $D/a ${D}/b /", ["src/a", "src/b"]),
    ("COPY ${D:-src} $E /", ["src", UNKNOWN]),
    ("ENV D=x E='y'\nCOPY $E /", ["y"]),
    ("COPY $0 /", [UNKNOWN]),
    ("ONBUILD COPY a /", ["a"]),
    ("COPY a\\b /", ["a/b"]),
    ("# COPY a /\n  # COPY b /", []),
    ("COPY a /\\", ["a"]),
    ("COPY a", []),
    ("COPY --chown=a   --chmod=1 a /", ["a"]),
    ("COPY --chown=a", []),
    ('COPY ["\\ud800", "b"]', ["?"]),
    ("ARG x=y\nCOPY a${x b", ["a${x"]),
    ("EXPOSE 80\nWORKDIR /x\nCOPY a /", ["a"]),
]


@pytest.mark.parametrize(("text", "expected"), TAKEN)
def test_dockerfile_sources_table(text: str, expected: list[str]) -> None:
    found = read_sources(f"FROM x AS y\n{text}".encode())
    assert list(found.patterns) == expected
    assert not found.may_be_all
    assert found.is_empty() == (not expected)


def test_dockerfile_escape_directive_is_honoured() -> None:
    found = read_sources(b"# syntax=a/b\n# escape=`\nFROM x\nCOPY a `\n b c:\\\\\n")
    assert found.patterns == ("a", "b")
    assert read_sources(b"FROM x\n# escape=`\nCOPY a \\\n b /\n").patterns == ("a", "b")


@pytest.mark.parametrize(
    "text",
    [
        *("", "# nothing\n", "RUN x\n", "FROM python:2-onbuild\n", "FROM --platform=x y-ONBUILD\n"),
        "FROM x\n" + "".join(f"COPY a{n} /\n" for n in range(MAX_SOURCES + 1)),
    ],
)
def test_dockerfile_source_with_a_variable_may_be_all(text: str) -> None:
    found = read_sources(text.encode())
    assert found.may_be_all
    assert not found.is_empty()
    assert found.covers("any/thing")


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        (".", "a/b.pyc", True),
        ("src", "src/a/b.pyc", True),
        ("src", "src.pyc", False),
        ("src/a", "src/b.pyc", False),
        ("src/*", "src/a/b.pyc", True),
        ("*", "a/b.pyc", True),
        ("*.py", "a.pyc", False),
        ("*.py", "a.py/b.pyc", True),
        ("a.py", "__pycache__/a.pyc", False),
        ("s[rt]c", "src/b.pyc", True),
        ("$x", "any.pyc", True),
        ("x" * 5000, "any.pyc", True),
    ],
)
def test_sources_covers_table(pattern: str, path: str, expected: bool) -> None:
    assert read_sources(f"FROM x\nCOPY {pattern} /y".encode()).covers(path) == expected


def test_sources_concrete_leaves_out_globs_and_variables() -> None:
    assert read_sources(b"FROM x\nCOPY . a/b *.txt * $X */ /").concrete() == ["a/b", "*.txt"]
