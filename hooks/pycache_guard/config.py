"""Parse `[tool.pycache-guard]` of a `pyproject.toml` strictly, so that a typing error cannot disable a check."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import TYPE_CHECKING, NamedTuple

from pycache_guard.bytecode.probes import SUFFIXES
from pycache_guard.errors import Failure
from pycache_guard.findings import Rule
from pycache_guard.fs.regular import MAX_TEXT_BYTES, TOO_LARGE
from pycache_guard.toml_tokens import Newer, has_long_key, rewrite_as_1_0, strings_after

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

#: The probes that `check-gitignore` and `check-dockerignore` can require.
PROBES = tuple(SUFFIXES)
#: The table below `tool`.
NAME = "pycache-guard"
#: The keys of the table, and of an element of `allow`.
KEYS = ("allow", "ignore", "probes")
ALLOW_KEYS = ("path", "reason", "blob")
#: The rules that `ignore` may name. Tracked, hidden and forged bytecode are always findings.
_CAN_BE_IGNORED = re.compile(r"PYC(?:201|20[3-7]|[346]\d\d)")
#: More rules than this are no suggestion.
MAX_SUGGESTIONS = 3
#: Codes that are less similar (difflib) are no suggestion.
MIN_RATIO = 0.9
#: The longest value that a message shows, in characters.
_MAX_SHOWN_CHARACTERS = 60
#: Byte order marks that say what a file is, instead of UTF-8 (PEP 263, Unicode 15 chapter 23.8).
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")
_UTF8_MARK = b"\xef\xbb\xbf"


class AllowEntry(NamedTuple):
    """Bytecode that may be tracked."""

    #: A git pathspec glob (gitglossary(7), magic `glob`), relative to the top of the repository.
    glob: str
    #: The full object id, if only this content is allowed.
    blob: str | None = None
    #: File and line of the entry; None for a command-line option.
    file: str | None = None
    line: int | None = None


class Config(NamedTuple):
    """The configuration of a repository."""

    allow: tuple[AllowEntry, ...] = ()
    #: Empty if nothing is configured.
    probes: tuple[str, ...] = ()
    #: Codes of rules, such as `PYC203`, whose findings are not reported.
    ignore: tuple[str, ...] = ()


def parse(data: bytes, file: str) -> Config:
    """Parse the table in `data`; `file` is its name in messages.

    Raises `Failure`, naming file, key and the wrong value, for broken TOML, an unknown key, a wrong
    type, an empty reason.
    """
    document = parse_toml(data, file)
    tool = document.get("tool", {})
    refuse_other_spellings(document, f"{file}: ")
    if not isinstance(tool, dict):
        return Config()
    refuse_other_spellings(tool, f"{file}: tool.")
    where = f"{file}: tool.{NAME}"
    table = tool.get(NAME, {})
    if not isinstance(table, dict):
        raise Failure(f"{where}: must be a table, not {show_value(table)}")
    refuse_unknown_keys(table, KEYS, where)
    lines = path_lines(decode_toml(data, file)) if table.get("allow") else {}
    return Config(
        tuple(
            _parse_allow_entry(item, lines, file, f"{where}.allow[{n}]")
            for n, item in enumerate(_require_array(table.get("allow", []), f"{where}.allow"))
        ),
        _parse_probes(_require_array(table["probes"], f"{where}.probes"), f"{where}.probes")
        if "probes" in table
        else (),
        ignored_codes(
            _require_array(table.get("ignore", []), f"{where}.ignore"), f"{where}.ignore"
        ),
    )


def decode_toml(data: bytes, file: str) -> str:
    """Return a document as text, without a byte order mark.

    Raises `Failure` for another encoding, and for a file that is too large.
    """
    if len(data) > MAX_TEXT_BYTES:
        raise Failure(f"{file}: {TOO_LARGE}")
    if data.startswith(_WIDE_MARKS):
        raise Failure(f"{file}: not TOML: is UTF-16 by its byte order mark; TOML is UTF-8")
    try:
        text = data.removeprefix(_UTF8_MARK).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Failure(f"{file}: not TOML: {error}") from None
    return text.replace("\r\n", "\n")


def parse_toml(data: bytes, file: str) -> dict[str, object]:
    """Parse TOML 1.0. Raises `Failure` with the parser's line and column.

    TOML 1.1 is refused under its name by every Python, also by one whose parser reads it (3.15): the
    answer must not depend on who runs the hook.
    """
    text = decode_toml(data, file)
    document = try_parse(text)
    newer = [] if isinstance(document, dict) and not can_parse_toml_1_1() else find_toml_1_1(text)
    if newer:
        line, syntax = newer[0]
        raise Failure(
            f"{file}:{line}: {syntax} is TOML 1.1, which most tools cannot read yet;"
            " write it as TOML 1.0"
        )
    if not isinstance(document, dict):
        raise Failure(f"{file}: not TOML: {document}")
    return document


def try_parse(text: str) -> dict[str, object] | str:
    """Return a document, or the reason why the parser refuses it."""
    if sys.version_info >= (3, 11):  # pragma: >=3.11 cover
        import tomllib
    else:  # pragma: <3.11 cover
        import tomli as tomllib
    if has_long_key(text):  # its time and memory grow with the square of a dotted key
        return "a key has too many parts"
    try:
        return tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, a number of 5000 digits
        return str(error)
    except RecursionError:
        return "nested too deeply"


def can_parse_toml_1_1() -> bool:
    """Return whether the parser of this Python version reads TOML 1.1."""
    return isinstance(try_parse("a = {\n}"), dict)


def find_toml_1_1(text: str) -> list[Newer]:
    """Return the places where a document uses TOML 1.1; an empty list if it is not TOML."""
    older, newer = rewrite_as_1_0(text)
    return newer if newer and isinstance(try_parse(older), dict) else []


def refuse_other_spellings(table: dict[str, object], where: str) -> None:
    """Raise `Failure` for a table that is meant for this program and has a misspelled name.

    `where` is the prefix of the key: `FILE: tool.`.
    """
    for key in table:
        letters = re.sub(r"[-_. ]", "", key).lower()
        if letters == "pycacheguard" and not (key == NAME and where.endswith("tool.")):
            raise Failure(f"{where}{key}: unknown table: did you mean `tool.{NAME}`?")


def _parse_allow_entry(
    item: object, lines: dict[str, list[int]], file: str, where: str
) -> AllowEntry:
    """Read one element of `allow`; take its line from `lines`."""
    if not isinstance(item, dict):
        raise Failure(f"{where}: must be a table with `path` and `reason`, not {show_value(item)}")
    refuse_unknown_keys(item, ALLOW_KEYS, where)
    for key in ("path", "reason"):
        if key not in item:
            raise Failure(f"{where}.{key}: is missing")
        value = item[key]
        if not isinstance(value, str) or not value.strip() or "\0" in value:
            raise Failure(
                f"{where}.{key}: must be a string that is not empty, not {show_value(value)}"
            )
    blob = item.get("blob")
    if blob is not None and not _is_object_id(blob):
        raise Failure(
            f"{where}.blob: must be an object id in full, as `git hash-object` prints it,"
            f" not {show_value(blob)}"
        )
    glob = os.fsdecode(item["path"].encode("utf-8"))  # as git stores it, in every locale
    known_lines = lines.get(item["path"], [])
    line = known_lines.pop(0) if known_lines else None
    return AllowEntry(glob, blob and blob.lower(), file, line)


def _is_object_id(value: object) -> bool:
    from pycache_guard.git.process import is_object_id

    return isinstance(value, str) and is_object_id(value.lower().encode("utf-8"))


def path_lines(text: str) -> dict[str, list[int]]:
    """Return the lines of each value of a key `path`, from the first mention of the table on.

    The table can be mentioned in a comment before it: a value with the same text is then taken from
    there, which costs no more than a line number.
    """
    start = text.find(NAME)
    found: dict[str, list[int]] = {}
    before = text.count("\n", 0, max(start, 0))
    for token in strings_after(text[max(start, 0) :], "path"):
        value = try_parse(f"value = {token.text}")
        if isinstance(value, dict):
            found.setdefault(str(value["value"]), []).append(before + token.line)
    return found


def _parse_probes(names: list[object], where: str) -> tuple[str, ...]:
    """Check the names of probes; at least one. Return them in the order of `PROBES`."""
    if not names:
        raise Failure(f"{where}: must name at least one of {', '.join(PROBES)}")
    for name in names:
        if name not in PROBES:
            raise Failure(
                f"{where}: {show_value(name)} is not a probe{suggestion(name, PROBES)};"
                f" there are {', '.join(PROBES)}"
            )
    return tuple(name for name in PROBES if name in names)


def ignorable_rules() -> list[Rule]:
    """Return the rules that `ignore` may name."""
    return [rule for rule in Rule if _CAN_BE_IGNORED.fullmatch(rule.name)]


def ignored_codes(codes: list[object], where: str) -> tuple[str, ...]:
    """Check the codes of rules whose findings are not reported."""
    every = [rule.name for rule in Rule]
    can_be_ignored = ignorable_rules()
    for code in codes:
        if code not in every:
            raise Failure(
                f"{where}: {show_value(code)} is not a rule{suggest_rule(code, can_be_ignored)}"
            )
        if not _CAN_BE_IGNORED.fullmatch(str(code)):
            raise Failure(
                f"{where}: {show_value(code)} cannot be ignored;"
                " PYC201, PYC203 to PYC207, PYC3xx, PYC4xx and PYC6xx can"
            )
    return tuple(dict.fromkeys(map(str, codes)))


def _require_array(value: object, where: str) -> list[object]:
    """Check that `value` is an array."""
    if not isinstance(value, list):
        raise Failure(f"{where}: must be an array, not {show_value(value)}")
    return value


def refuse_unknown_keys(table: dict[str, object], keys: Collection[str], where: str) -> None:
    """Raise `Failure` for the first key of `table`, in order, that is not one of `keys`."""
    for key in sorted(table.keys() - set(keys)):
        raise Failure(
            f"{where}.{key}: unknown key{suggestion(key, keys)};"
            f" there are {', '.join(sorted(keys))}"
        )


def suggestion(word: object, words: Collection[str]) -> str:
    """Return `: did you mean X?` for the likely one of `words`, or nothing."""
    from difflib import get_close_matches

    found = get_close_matches(word, words, n=1) if isinstance(word, str) else []
    if not found and isinstance(word, str):
        found = [each for each in words if each.lower() == word.lower()]
    return f": did you mean `{found[0]}`?" if found else ""


def suggest_rule(word: object, rules: Iterable[Rule] = Rule) -> str:
    """Return `: did you mean X?` for the one of `rules` that `word` means, or for those whose name has it.

    A code is guessed only if one is nearer than all others: the codes are so similar that spelling
    alone says nothing. Returns an empty string if no rule, or more than three, are likely.
    """
    if not isinstance(word, str) or len(word) > _MAX_SHOWN_CHARACTERS:
        return ""
    letters, digits = re.sub(r"[\W\d_]", "", word).upper(), re.sub(r"\D", "", word)
    if digits:
        is_meant = letters in ("", "PYC") or suggestion(letters, ["PYC"])
        found = _nearest_codes(digits, rules) if is_meant else []
    else:
        name = re.sub(r"[\W_]+", "-", word.lower()).strip("-")
        found = [rule.value for rule in rules if name and name in rule.value]
        if not found:
            return suggestion(name, [rule.value for rule in rules])
    names = " or ".join(f"`{each}`" for each in found)
    return f": did you mean {names}?" if 0 < len(found) <= MAX_SUGGESTIONS else ""


def _nearest_codes(digits: str, rules: Iterable[Rule]) -> list[str]:
    """Return the code with this number, or the one that is spelled most like it, or nothing."""
    from difflib import SequenceMatcher

    code = f"PYC{digits.lstrip('0'):0>3}"
    ratios = {rule.name: SequenceMatcher(None, code, rule.name).ratio() for rule in rules}
    best = max(ratios.values())
    names = [name for name, ratio in ratios.items() if ratio == best >= MIN_RATIO]
    return names if len(names) == 1 else []


def show_value(value: object) -> str:
    """Return a value of a document for a message: `"cash"`, `true`, `["a"]`, cut after 60 characters."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _MAX_SHOWN_CHARACTERS else f"{text[:_MAX_SHOWN_CHARACTERS]}…"
