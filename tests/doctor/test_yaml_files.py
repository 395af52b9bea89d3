from __future__ import annotations

import pytest
import yaml

from pycache_guard.doctor.yaml_files import load_yaml


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("a", "a"),
        ("[1, 1.5, 2001-01-01, yes, False, ~, null, '', x]", None),
        ("a: &a {b: c}\nd: {<<: *a, e: f}\ng: *a\n", None),
        ("? [a]\n: b\nc: d\n", {"c": "d"}),
        ("a: !!int x\nb: !!timestamp y\nc: !z [d]\n", {"a": "x", "b": "y", "c": ["d"]}),
        ("a: !!bool x\n", {"a": False}),
    ],
)
def test_yaml_is_read_as_text(text: str, expected: object) -> None:
    """Where nothing is expected, PyYAML decides, except that numbers and dates stay texts."""
    found = load_yaml(text)
    assert repr(found) == repr(expected if expected or not text else as_texts(yaml.safe_load(text)))


def as_texts(value: object) -> object:
    """Return what PyYAML has constructed, with texts in place of numbers and dates."""
    if isinstance(value, dict):
        return {key: as_texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_texts(item) for item in value]
    return value if value is None or isinstance(value, bool) else str(value)


def test_alias_is_the_same_object() -> None:
    found = load_yaml("a: &a [b, *a]\n")
    assert isinstance(found, dict)
    assert found["a"][1] is found["a"]


def test_merges_that_multiply_are_refused() -> None:
    text = "".join(f"a{n + 1}: &a{n + 1} {{<<: [{f'*a{n}, ' * 300}]}}\n" for n in range(19))
    keys = ", ".join(f"k{n}: x" for n in range(300))
    with pytest.raises(ValueError, match="make too many values"):
        load_yaml(f"a0: &a0 {{{keys}}}\n{text}")
