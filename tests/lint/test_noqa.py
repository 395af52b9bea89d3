from __future__ import annotations

import pytest

from pycache_guard.lint import lint_source
from pycache_guard.lint.noqa import logical_line_ranges

CALL = "marshal.loads(d[16:])"

#: A comment behind the call, and what is still told.
BEHIND = [
    ("# noqa", []),
    ("# NoQA", []),
    ("#noqa", ["PYC401"]),
    ("# no qa", ["PYC401"]),
    ("# noqa: PYC401", []),
    ("# noqa:PYC401", []),
    ("# noqa: pyc401", ["PYC401"]),
    ("# noqa: PYC4", []),
    ("# noqa: E501, PYC401", []),
    ("# noqa: E501 PYC401 since it is ours", []),
    ("# noqa: E501,PYC401", []),
    ("# noqa: E501", ["PYC401"]),
    ("# noqa: PYC402", ["PYC401"]),
    ("# noqa : PYC402", []),
    ("# type: ignore # noqa: PYC401", []),
]


@pytest.mark.parametrize(("comment", "codes"), BEHIND)
def test_behind_the_line(comment: str, codes: list[str]) -> None:
    source = f"import marshal\n{CALL}  {comment}\n"
    assert [f.rule.name for f in lint_source(source.encode(), "a.py")] == codes


@pytest.mark.parametrize(("comment", "codes"), [("# noqa", []), ("# noqa: E5", ["PYC401"] * 2)])
def test_two_findings_in_a_line_have_one_comment(comment: str, codes: list[str]) -> None:
    source = f"import marshal\n{CALL}; {CALL}  {comment}\n"
    assert [f.rule.name for f in lint_source(source.encode(), "a.py")] == codes


#: Where a comment stands in a file, and whether it silences the call.
PLACES = [
    (f"import marshal  # noqa\n{CALL}\n", False),
    (f"import marshal\n# noqa\n{CALL}\n", False),
    (f"import marshal\nx = '# noqa'; {CALL}\n", True),
    # As with flake8: the end of a string of several lines is its line too.
    (f"import marshal\n{CALL}; x = '''\n'''  # noqa\n", True),
    ("import marshal\nmarshal.loads(\n    d[16:]\n)  # noqa\n", False),
    ("import marshal\nmarshal.loads(  # noqa\n    d[16:]\n)\n", True),
    (f"import marshal\nif x:\n    {CALL}  # noqa", True),
    # The whole file.
    (f"import marshal\n{CALL}\n# flake8: noqa\n", True),
    (f"import marshal\n{CALL}\n    # flake8=NOQA\n", True),
    (f"import marshal\n{CALL}\n# flake8: noqa: PYC401\n", True),
    (f"import marshal\n{CALL}\n# flake8: noqa: E501, PYC4\n", True),
    (f"import marshal\n{CALL}\n# flake8: noqa: E501\n", True),
    (f"import marshal\n{CALL}\n# flake8: noqa, it is ours\n", True),
    (f"import marshal\n{CALL}\nx = 1  # flake8: noqa\n", False),
]


@pytest.mark.parametrize(("source", "silent"), PLACES)
def test_elsewhere(source: str, silent: bool) -> None:
    assert [f.rule.name for f in lint_source(source.encode(), "a.py")] == ["PYC401"] * (not silent)


@pytest.mark.parametrize("lines", [["x = (\n"], ["if x:\n", "    y\n", "  z\n"]])
def test_lines_that_the_tokenizer_does_not_like(lines: list[str]) -> None:
    assert logical_line_ranges(lines) == {}
