from __future__ import annotations

from pycache_guard.doctor.report import MAX_LINE_CHARS, Fact, format_report, wrap_text


def test_report_has_topics_facts_and_explanations() -> None:
    facts = [Fact("a", "one", "1", "So.", None), Fact("a", "two", "2", "", None)]
    result = format_report([*facts, Fact("b", "three", "3", "Thus.", None)])
    assert result == [
        "A",
        "  one: 1",
        "      So.",
        "  two: 2",
        "",
        "B",
        "  three: 3",
        "      Thus.",
    ]


def test_wrapped_text_keeps_commands_whole() -> None:
    command = "`pre-commit install -t pre-commit -t pre-merge-commit -t pre-push`"
    result = wrap_text(f"Merges run other stages than commits do: {command}.", "  ", "    ")
    assert result == ["  Merges run other stages than commits do:", f"    {command}."]


def test_wrapped_text_is_wider_only_for_long_words() -> None:
    path = "/a-long-path" * 10
    result = wrap_text(f"{'word ' * 40}{path} and so on", "  ", "    ")
    assert f"    {path}" in result
    assert [line for line in result if len(line) > MAX_LINE_CHARS] == [f"    {path}"]
