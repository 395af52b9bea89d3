r"""Which rules can find something in a source, by words in its text: in nearly every one none can.

Parsing and walking a source costs fifty times as much as a search for words. A rule names groups of
words; it can find something only if a word of each group is a name in the source, or in one of its
literals. So the search must find each word that the parser would return in one piece: also with
escapes (`".p\x79c"`), over the end of a line (`\`), and as a name of other characters, which the
parser normalizes (NFKC). A word that is divided between literals (`".py" + "c"`) is not found.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pycache_guard.lint.rules import Check

#: Escapes of the characters in trigger words: letters, and `-._[]`.
ESCAPE = re.compile(
    r"\\(?:(?:x|u00|U000000)(2[dDeE]|[4-7][0-9a-fA-F])|(1[0-7][0-7]|0?5[56])|N\{([A-Za-z -]+)\})"
)


#: How trigger words begin that are parts of paths: rules compare these in lower case.
PATH_WORDS = (".py", "py[", "__pycache__")


def checks_for(text: str, checks: Sequence[Check]) -> list[Check]:
    """Return those of `checks` that can find something in a source."""
    text = unescape(text)
    lowered = text.lower()
    # Most sources have none of the first words, and several checks share most of these.
    first = {word.lower() for check in checks for word in check.TRIGGER_WORDS[0]}
    found = {word for word in first if word in lowered}
    return [check for check in checks if found and has_words(check, found, text, lowered)]


def has_words(check: Check, found: Collection[str], text: str, lowered: str) -> bool:
    """Return whether a source has a word of each group; `found` are the first words in lower case."""
    if not any(word.lower() in found for word in check.TRIGGER_WORDS[0]):
        return False
    return all(
        any(word in (lowered if word.startswith(PATH_WORDS) else text) for word in words)
        for words in check.TRIGGER_WORDS
    )


def unescape(text: str) -> str:
    r"""Return a source in which each trigger word stands that is in a literal or a name of it.

    Escapes are replaced wherever they stand, also in raw strings and after another backslash. That can
    add a word, but not remove one: each has a digit, a space or a brace after its first letter.
    """
    if "\\" in text:
        if "\r" in text:  # The parser takes it for the end of a line, alone and before `\n`.
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        text = text.replace("\\\n", "")
        text = ESCAPE.sub(unescape_character, text)
    if not text.isascii():
        text += unicodedata.normalize("NFKC", text)
    return text


def unescape_character(escape: re.Match[str]) -> str:
    """Return the character that an escape stands for."""
    digits, octal_digits, name = escape.groups()
    if name is None:
        return chr(int(digits, 16) if digits else int(octal_digits, 8))
    try:
        return unicodedata.lookup(name)
    except KeyError:
        return escape[0]
