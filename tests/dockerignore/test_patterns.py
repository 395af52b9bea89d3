"""Cases after the tables of moby/patternmatcher (patternmatcher_test.go, ignorefile_test.go).

Beyond these, 300 000 random files gave the same as the original compiled with Go 1.19.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycache_guard.dockerignore.patterns import (
    MAX_LINE_BYTES,
    Dockerignore,
    InvalidLine,
    clean_path,
)

#: File, paths that it keeps out, paths that it does not.
CASES: list[tuple[bytes, list[str], list[str]]] = [
    # Nothing is excluded by nothing.
    (b"", [], ["a", "a/b"]),
    (b"\n\n# a\n  \n", [], ["a", "# a"]),
    # Rooted at the context; a directory's content with it.
    (
        b"__pycache__/",
        ["__pycache__", "__pycache__/a.pyc"],
        ["p/__pycache__", "p/__pycache__/a.pyc"],
    ),
    (b"*.pyc", ["a.pyc"], ["p/a.pyc", "a.pyo"]),
    (b"**/__pycache__", ["__pycache__/a", "p/q/__pycache__/a"], ["p/x__pycache__", "__pycache__x"]),
    (b"**/*.py[co]", ["a.pyc", "p/q/a.pyo"], ["a.py", "a.pyd", "a.pyc.1"]),
    (b"p/*.pyc", ["p/a.pyc"], ["p/q/a.pyc", "a.pyc"]),
    (b"*/*.pyc", ["p/a.pyc"], ["p/q/a.pyc", "a.pyc"]),
    # `**`, at the start, in the middle, at the end, within a name.
    (b"**", ["a", "a/b"], []),
    (b"**/", ["a", "a/b"], []),
    (b"**/**", ["a", "a/b"], []),
    (b"dir/**", ["dir/a", "dir/a/b"], ["dir", "other"]),
    (b"a*/**", ["ab/c", "a/b/c"], ["ab", "b/c"]),
    (b"**file", ["file", "dir/file", "myfile"], ["file2", "ile"]),
    (b"a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["a/xb", "ab"]),
    (b"a**/*.txt", ["a/f.txt", "a/b/f.txt", "ab/f.txt"], ["b/f.txt"]),
    (b"**/d/*", ["d/f", "x/d/f", "x/d/f/g"], ["d", "x/d"]),
    # One character, and classes; `^` negates, `!` does not; neither minds a `/`.
    (b"a?c", ["abc", "a\u263ac"], ["ac", "a/c"]),
    (b"a[b-d]e", ["ace"], ["ae", "aae"]),
    (b"a[^b-d]e", ["aze", "a/e"], ["ace"]),
    (b"[!a]", ["a", "!"], ["b"]),
    (b"[\\]a]", ["]", "a"], ["b"]),
    (b"a[b-]".replace(b"-]", b"\\-]"), ["ab", "a-"], ["a\\"]),
    ("[a-\u03b6]*".encode(), ["\u03b1"], ["A"]),
    # Its oddities.
    (b"[*]", ["]", "[]", "^/[]"], ["*"]),
    (b"*.pyc|*.pyo", ["a.pyc", "a.pycx", "x/a.pyo"], ["x/a.pyc", "a.pyox"]),
    (b"a*|b|c*", ["a", "a/x", "axx", "xbx", "xc"], ["x"]),
    (b"*.{pyc,pyo}", ["a.{pyc,pyo}"], ["a.pyc"]),
    (b"a|b", ["a|b"], ["a", "b"]),
    (b"x*^a", [], ["xa", "x^a"]),
    (b"^a*", ["a", "ab"], ["^a"]),
    (b"^a", ["^a"], ["a"]),
    (b"a.b*", ["a.b", "a.bc"], ["axb"]),
    (b"a(b)+$*", ["a(b)+$"], ["ab"]),
    (b"a]*", ["a]b"], ["a"]),
    (b"a[[]b", ["a[b"], ["ab"]),
    (b"[?[]-]", ["[-", "/-", "^]"], ["a-", "[", "[a"]),
    (b"[a[:b]x", ["[x", ":x"], ["x"]),
    (b"a\\*b", ["a*b"], ["axb"]),
    (b"a\\\\", ["a\\"], ["a"]),
    # The last pattern that changes anything decides, below an excluded directory too.
    (b"*.md\n!README.md", ["a.md"], ["README.md"]),
    (b"!README.md\n*.md", ["README.md"], []),
    (b"docs\n!docs/a", ["docs/b", "docs"], ["docs/a"]),
    (b"docs/\n!docs/a", ["docs/b"], ["docs/a"]),
    (b"docs/*\n!docs/a", ["docs/b"], ["docs/a", "docs"]),
    (b"**\n!a/b", ["a/c"], ["a/b", "a/b/c"]),
    (b"**\n!a/b\na/b/c", ["a/b/c", "x"], ["a/b/d"]),
    (b"*\n!**/*.py*", ["a.txt", "p/__pycache__"], ["p/a.pyc", "p/__pycache__/m.pyc"]),
    # What changes nothing for the directory is not asked about it, and so not for what is below.
    (b"a/b\n!a", ["a/b", "a/b/c"], ["a"]),
    (b"**/p\n!**/m*\n**/p", ["p/x"], ["p/m"]),
    (b"**/p\n!**/m*\n**/p/**", ["p/x", "p/m"], []),
    # Blanks, comments, line ends, marks, cleaning.
    (b"  a  \n\tb\t\n", ["a", "b"], ["  a  "]),
    (b" # a", ["# a"], ["a"]),
    (b"a # b", ["a # b"], ["a"]),
    ("\u2003a\xa0".encode(), ["a"], []),
    (b"\x1ca", ["\x1ca"], ["a"]),
    (b"a\r\nb\r\n", ["a", "b"], ["a\r"]),
    (b"\xef\xbb\xbfa\n", ["a"], []),
    (b"\xef\xbb\xbf# a\n", [], ["# a"]),
    (b"/a\n//b\n./c\nd/./e/../f\n../g", ["a", "b", "c", "d/f", "../g"], ["d/e", "d", "g"]),
    (b"/", [], ["a"]),
    (b".", [], ["a"]),
    (b"*\n! /a\n!  b", ["c"], ["a", "b"]),
    (b"*\n./!a", ["b"], ["a"]),
    (b"a /", ["a"], ["a "]),
    (b"/ ", [], ["a"]),
]


@pytest.mark.parametrize(("content", "out", "kept"), CASES)
def test_dockerignore_excludes_table(content: bytes, out: list[str], kept: list[str]) -> None:
    rules = Dockerignore(content)
    assert [path for path in [*out, *kept] if rules.excludes(path)] == out


#: File, the line that Docker refuses, and why.
REFUSED: list[tuple[bytes, int, str]] = [
    (b"a\n!\n", 2, "a lone `!` excludes nothing"),
    (b"! ", 1, "a lone `!` excludes nothing"),
    (b"!/", 1, "a lone `!` excludes nothing"),
    (b"[", 1, "its `[` does not begin a character class"),
    (b"a[", 1, "its `[` does not begin a character class"),
    (b"[]a]", 1, "its `[` does not begin a character class"),
    (b"[^", 1, "its `[` does not begin a character class"),
    (b"[^bc", 1, "its `[` does not begin a character class"),
    (b"[x-]", 1, "its `[` does not begin a character class"),
    (b"[-x]", 1, "its `[` does not begin a character class"),
    (b"[a-b-c]", 1, "its `[` does not begin a character class"),
    (b"[a\\", 1, "its `[` does not begin a character class"),
    (b"*[*[]x", 1, "its `[` does not begin a character class"),
    (b"\\", 1, "it ends with a backslash"),
    (b"# a\n\n[z-a]", 3, "its range `z-a` runs backwards"),
    (b"[Local-Only]/", 1, "its range `l-O` runs backwards"),
    (b"[[:alpha:]]", 1, "named character classes are not supported; write the characters"),
    (
        b"a\\d",
        1,
        "Docker treats `\\d` as part of a regular expression; write `/` between directories",
    ),
    (
        "a\\\u00e9".encode(),
        1,
        "Docker treats `\\\u00e9` as part of a regular expression; write `/` between directories",
    ),
    (
        "\\\u2603".encode(),
        1,
        "Docker treats `\\\u2603` as part of a regular expression; write `/` between directories",
    ),
    (
        b"[\\d]",
        1,
        "Docker treats `\\d` as part of a regular expression; write `/` between directories",
    ),
    (b"*a{2}", 1, "Docker treats `{\u2026}` as part of a regular expression"),
    (b"\xff", 1, "it is not UTF-8, and BuildKit cannot send it"),
    (b"a\n\xef\xbb\xbfb", 2, "a byte order mark precedes it"),
    (b"x" * MAX_LINE_BYTES, 1, "the line is too long for Docker"),
]


@pytest.mark.parametrize(("content", "line", "why"), REFUSED, ids=lambda value: str(value)[:20])
def test_dockerignore_line_that_docker_refuses_is_an_error(
    content: bytes, line: int, why: str
) -> None:
    with pytest.raises(InvalidLine) as refused:
        Dockerignore(content)
    assert (refused.value.line, str(refused.value)) == (line, why)


def test_dockerignore_longest_line_is_read() -> None:
    assert Dockerignore(b"x" * (MAX_LINE_BYTES - 1)).excludes("x" * (MAX_LINE_BYTES - 1))


def test_dockerignore_match_names_the_reincluding_pattern() -> None:
    rules = Dockerignore(b"# c\n**\n!a\n!a/b\n!*.md\n")
    found = {path: rules.match(path)[1] for path in ("a/x", "a/b", "c", "d.md")}
    named = {path: pattern and (pattern.line, pattern.text) for path, pattern in found.items()}
    assert named == {"a/x": (3, b"!a"), "a/b": (3, b"!a"), "c": None, "d.md": (5, b"!*.md")}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", "."),
        ("/", "/"),
        ("a//b/", "a/b"),
        ("a/../..", ".."),
        ("../../a", "../../a"),
        ("/../a", "/a"),
        ("./.", "."),
    ],
)
def test_clean_path_agrees_with_go(path: str, expected: str) -> None:
    assert clean_path(path) == expected


@given(st.binary(max_size=40), st.text("ab/.pyc_[]!*^-", max_size=12))
def test_dockerignore_of_any_bytes_is_read_or_an_error(content: bytes, path: str) -> None:
    line = 1
    try:
        excluded = Dockerignore(content).excludes(path)
    except InvalidLine as refused:
        line = refused.line
    else:
        assert excluded in (True, False)
    assert line in range(1, content.count(b"\n") + 2)
