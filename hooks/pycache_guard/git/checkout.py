"""Ask git what it writes at checkout: the content of blobs after `.gitattributes` are applied.

Git runs in a temporary repository that uses the objects of this one: gitattributes(5),
git-check-attr(1), git-cat-file(1). The answer holds for any clone, for two reasons:

- Only the given `.gitattributes` files count. `info/attributes` and the configuration of a user or a
  server are not cloned.
- No filter runs: filter programs are named in the configuration, which is empty here.

Line ends depend on the system and on `core.eol` and `core.autocrlf` of the user who clones. So each
content is read twice: as git writes it by default on Linux and macOS, and as Git for Windows does.
"""

from __future__ import annotations

import os
import re
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, final

from pycache_guard.bytecode.sniff import HEAD_BYTES, is_bytecode, may_be_bytecode_when_encoded
from pycache_guard.git.listing import blob_of, path_of
from pycache_guard.git.objects import OfflineRepository, read_prefixes
from pycache_guard.git.process import NOWHERE, Git, GitFailure, environment, parsing_output
from pycache_guard.git.repository import options_at
from pycache_guard.git.tempdir import open_unnamed_file

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping

    #: The attributes that turn a file into bytecode, in words, and its first bytes at checkout.
    Becoming = tuple[str, bytes]

#: The attributes that change content at checkout; `crlf` is the former name of `text`.
NAMES = ("text", "crlf", "eol", "ident", "working-tree-encoding", "filter")
#: Words of a `.gitattributes` that do not change content with zero bytes: with `text=auto` git does not
#: convert such content, and lines that end with LF are stored with LF.
HARMLESS = (b"text=auto", b"-text", b"eol=lf", b"-crlf", b"crlf=input", b"filter=lfs", b"!text")
LINE_ENDS = {b"text", b"crlf", b"eol"}

#: The configuration of a clone, by default and under Windows, in which lines may end with CR LF.
PLAIN = ("-c", "core.autocrlf=false", "-c", "core.eol=lf")
WINDOWS = ("-c", "core.autocrlf=true", "-c", "core.eol=crlf")
#: Printed by git if it writes content unencoded (`convert.c`, `encode_to_worktree`).
NOT_ENCODED = re.compile(rb"failed to encode '(\d+)' from \S+ to (.*)")
#: Encodings with more than a byte for each character, whose bytes a text does not show.
WIDE_ENCODING = re.compile(rb"(?i)uc[st]|utf|10646|unicode")
#: Random bytes after each answer.
MARK_BYTES = 16


class Kinds(NamedTuple):
    """The kinds of changes that the words of `.gitattributes` files can make at checkout."""

    #: Content may become anything.
    recodes: bool = False
    #: Lines may end otherwise, in content with zero bytes too.
    ends_lines: bool = False
    #: Content may go through a filter that is not that of Git LFS.
    filters: bool = False
    #: `$Id$` may be expanded.
    identifies: bool = False

    def union(self, other: Kinds) -> Kinds:
        """Return the changes of both."""
        return Kinds(*(mine or theirs for mine, theirs in zip(self, other, strict=True)))


class Attributes(NamedTuple):
    """The attributes of a file that change its content, as git-check-attr(1) prints them."""

    text: bytes
    crlf: bytes
    eol: bytes
    ident: bytes
    encoding: bytes
    filter: bytes

    @property
    def recodes(self) -> bool:
        """Return whether content may become anything at checkout."""
        return self.encoding != UNSPECIFIED

    @property
    def ends_lines(self) -> bool:
        """Return whether lines may end otherwise in content with zero bytes."""
        return SET in (self.text, self.crlf) or self.eol == b"crlf"

    @property
    def filters(self) -> bool:
        """Return whether content goes through a program, if the configuration names it."""
        return self.filter not in (UNSPECIFIED, b"unset", SET)

    def lines(self) -> bytes:
        """Return them as gitattributes(5) writes them, without the filter."""
        words = {SET: b"%s", b"unset": b"-%s", UNSPECIFIED: b"!%s"}
        return b" ".join(
            words.get(value, b"%s=" + value) % name.encode("ascii")
            for name, value in zip(NAMES[:-1], self, strict=False)
        )

    def describe(self) -> str:
        """Return those that matter, for a message."""
        named = zip(NAMES, map(os.fsdecode, self), strict=True)
        words = [
            name if value == "set" else f"{name}={value}"
            for name, value in named
            if value not in ("unspecified", "unset")
        ]
        return " ".join(words)


SET = b"set"
UNSPECIFIED = b"unspecified"


@final
class Checkout:
    """The `.gitattributes` files in `records` of a listing or a comparison; a context manager.

    Raises `GitFailure` for one whose content is not here.
    """

    def __init__(self, records: Iterable[bytes]) -> None:
        self._records = normalize_names(records)
        paths = {blob_of(record): os.fsdecode(path_of(record)) for record in self._records}
        self.kinds = kinds_of(paths, paths.__getitem__)
        self._repository: Isolated | None = None

    def __enter__(self) -> Checkout:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the temporary repository, if there is one."""
        if self._repository is not None:
            self._repository.close()

    def attributes(self, paths: Collection[bytes]) -> dict[bytes, Attributes]:
        """Return the attributes of those paths, from the top, that have any that matter."""
        if not paths or not any(self.kinds):
            return {}
        asked = [*dict.fromkeys(paths)]
        fields = self._isolated().check_attributes(asked)
        step = 3 * len(NAMES)
        with parsing_output("check-attr"):
            if len(fields) != len(asked) * step + 1:
                raise ValueError
            values = fields[2::3]
            answers = {
                path: Attributes(*values[n * len(NAMES) : (n + 1) * len(NAMES)])
                for n, path in enumerate(fields[0:-1:step])
            }
            if [*answers] != asked:
                raise ValueError
        return {
            path: found
            for path, found in answers.items()
            if found.recodes or found.ends_lines or found.filters or found.ident == SET
        }

    def read_as_written(
        self, blobs: Iterable[tuple[str, Attributes]], length: int, *, windows: bool
    ) -> Iterator[bytes]:
        """Yield the first `length` bytes that git writes for each blob with its attributes.

        Raises `GitFailure` for an encoding that git does not know here, or cannot write.
        """
        asked = list(blobs)
        if asked:
            system = WINDOWS if windows else PLAIN
            yield from self._isolated().convert(asked, length, system)

    def bytecode_among(
        self, files: Iterable[bytes], suspects: Container[str]
    ) -> tuple[dict[bytes, Becoming], list[bytes]]:
        """Return the records of `files` that become bytecode at checkout, and those with a filter.

        `suspects` are the blobs that could be bytecode if lines ended otherwise. Git is not asked
        about files that no attribute can make bytecode. Raises `GitFailure` as `written` does.
        """
        asked = [
            record
            for record in files
            # The blob of a symbolic link is written as it is.
            if record.startswith(b"100")
            and (self.kinds.recodes or self.kinds.filters or blob_of(record) in suspects)
        ]
        found = self.attributes([*map(path_of, asked)])
        attributes = {r: found[path_of(r)] for r in asked if path_of(r) in found}
        filtered = [r for r, a in attributes.items() if a.filters and a.filter != b"lfs"]
        converted = [
            (record, has)
            for record, has in attributes.items()
            if has.recodes or (has.ends_lines and blob_of(record) in suspects)
        ]
        becoming: dict[bytes, Becoming] = {}
        for windows in (False, True):
            questions = [(blob_of(record), has) for record, has in converted]
            heads = self.read_as_written(questions, HEAD_BYTES, windows=windows)
            for (record, has), head in zip(converted, heads, strict=True):
                if is_bytecode(head):
                    becoming.setdefault(record, (has.describe(), head))
        return becoming, filtered

    def _isolated(self) -> Isolated:
        if self._repository is None:
            self._repository = Isolated(self._records)
        return self._repository


class Isolated:
    """A repository with these `.gitattributes` in its index, and no configuration at all."""

    def __init__(self, records: Iterable[bytes]) -> None:
        self._bare = OfflineRepository()
        self._path = self._bare.environment["GIT_DIR"]
        self._environment = {
            **without_configuration(self._bare.environment),
            "GIT_INDEX_FILE": os.path.join(self._path, "index"),
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": NOWHERE,
            "HOME": self._path,
            "XDG_CONFIG_HOME": self._path,
        }
        try:
            self._feed(b"".join(r + b"\0" for r in records), "update-index", "-z", "--index-info")
        except BaseException:
            self._bare.close()
            raise

    def close(self) -> None:
        """Remove it."""
        self._bare.close()

    def check_attributes(self, paths: Iterable[bytes]) -> list[bytes]:
        """Return what `git check-attr` answers about `NAMES`: three fields for each."""
        questions = b"".join(path + b"\0" for path in paths)
        answers = self._feed(questions, "check-attr", "--cached", "-z", "--stdin", *NAMES)
        return answers.split(b"\0")

    def convert(
        self, blobs: list[tuple[str, Attributes]], length: int, system: tuple[str, ...]
    ) -> Iterator[bytes]:
        """Yield what git writes for each blob; each combination gets a file name."""
        kinds = {found: b"%d" % n for n, found in enumerate(dict.fromkeys(a for _, a in blobs))}
        os.makedirs(os.path.join(self._path, "info"), exist_ok=True)
        with open(os.path.join(self._path, "info", "attributes"), "wb") as file:
            file.writelines(b"%s %s\n" % (n, found.lines()) for found, n in kinds.items())
        git = Git(*system, "cat-file", "--batch=", "--filters", feed=True, env=self._environment)
        try:
            yield from self._converted(git, [(blob, kinds[found]) for blob, found in blobs], length)
        finally:
            git.kill()

    @staticmethod
    def _converted(git: Git, blobs: Iterable[tuple[str, bytes]], length: int) -> Iterator[bytes]:
        # The size that git prints is not that of what it writes. A name of no object is answered
        # with that name, so a random one shows where the content ends.
        mark = b"=" + os.urandom(MARK_BYTES).hex().encode("ascii")
        end = b"\n" + mark + b" missing\n"
        suspects: set[bytes] = set()
        for blob, name in blobs:
            git.write(b"%s %s\n%s\n" % (blob.encode("ascii"), name, mark))
            # Before the content there is the line of the format, which is empty.
            content = read_until(git, end, length + 1)[1:]
            if may_be_bytecode_when_encoded(content[:HEAD_BYTES]):
                suspects.add(name)
            yield content
        git.close_stdin()
        git.wait()
        # Git writes a text that it cannot encode as it is stored. Another iconv may know the encoding.
        for name, encoding in NOT_ENCODED.findall(git.words):
            if name in suspects or WIDE_ENCODING.search(encoding):
                raise GitFailure(
                    f"the `working-tree-encoding` {os.fsdecode(encoding)} of `.gitattributes` cannot"
                    " be written here, so what a checkout contains cannot be checked"
                )

    def _feed(self, data: bytes, *args: str) -> bytes:
        """Run git with `data` on stdin, from a file, and return its stdout."""
        with open_unnamed_file() as file:
            file.write(data)
            file.seek(0)
            return Git(*args, stdin=file.fileno(), env=self._environment).output()


def kinds_of(blobs: Iterable[str], path_of: Callable[[str], str] | None = None) -> Kinds:
    """Return the kinds of changes that `.gitattributes` files with these blobs can make.

    Raises `GitFailure`, with the path that `path_of` returns, for a blob that is not here.
    """
    read = dict(read_prefixes([*dict.fromkeys(blobs)], 1 << 62, path_of))
    names = set(chain.from_iterable(map(relevant_names, read.values())))
    return Kinds(
        b"working-tree-encoding" in names,
        not names.isdisjoint(LINE_ENDS),
        b"filter" in names,
        b"ident" in names,
    )


def relevant_names(data: bytes) -> Iterator[bytes]:
    """Yield each word of a `.gitattributes` that may be the name of a relevant attribute.

    Words of patterns and of macros are yielded too; `HARMLESS` words are left out.
    """
    for line in data.split(b"\n"):
        words = {*line.split()}
        for word in words.difference(HARMLESS, (b"text",) if b"eol=lf" in words else ()):
            yield word.lstrip(b"-!").partition(b"=")[0]


def read_until(git: Git, end: bytes, limit: int) -> bytes:
    """Return the first `limit` bytes of the output of git up to `end`. Reads everything up to `end`.

    Raises `GitFailure` if the output ends before `end`.
    """
    parts = []
    size = 0
    buffer = b""
    while (found := buffer.find(end)) < 0:
        settled = max(0, len(buffer) - len(end))
        if size < limit:
            parts.append(buffer[:settled])
            size += settled
        data = git.read()
        if not data:
            git.wait()
            raise GitFailure("git cat-file: its output is truncated")
        buffer = buffer[settled:] + data
    return b"".join([*parts, buffer[:found]])[:limit]


def normalize_names(records: Iterable[bytes]) -> list[bytes]:
    """Return records of `.gitattributes` files with their names in lower case.

    A name in another letter case counts only if its directory has none in lower case.
    """
    found: dict[bytes, bytes] = {}
    for record in sorted(records, key=path_of, reverse=True):
        head, _, path = record.partition(b"\t")
        directory, slash, _ = path.rpartition(b"/")
        stage = head.rpartition(b" ")[2]
        key = directory + slash + b".gitattributes"
        # In ASCII small letters come last, so that the exact name is met first.
        found.setdefault(key + b"\0" + (stage if len(stage) == 1 else b""), head + b"\t" + key)
    return [*found.values()]


def without_configuration(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the variables that configure git."""
    dropped = ("GIT_CONFIG", "GIT_ATTR", "GIT_PREFIX")
    return {name: text for name, text in environment.items() if not name.startswith(dropped)}


#: What git answers where an attribute has no value.
UNSET_VALUES = (b"unspecified", b"unset", b"set")


def check_attr(attribute: str, paths: Collection[bytes], top: str) -> dict[bytes, bytes]:
    """Return the value of an attribute for those paths that have one, by the index alone.

    Neither the attributes of this person nor those of the system count (gitattributes(5)).
    """
    with open_unnamed_file() as questions:
        questions.write(b"".join(path + b"\0" for path in paths))
        questions.seek(0)
        answers = Git(
            *(*options_at(top), "-c", f"core.attributesFile={NOWHERE}"),
            *("check-attr", "--cached", "-z", "--stdin", attribute),
            stdin=questions.fileno(),
            env=environment(GIT_ATTR_NOSYSTEM="1"),
        ).output()
    fields = answers.split(b"\0")
    with parsing_output("check-attr"):
        answered = zip(paths, fields[0:-1:3], fields[2::3], strict=True)
        return {path: value for path, _, value in answered if value not in UNSET_VALUES}
