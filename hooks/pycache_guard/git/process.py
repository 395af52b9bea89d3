"""Run git: return bytes, raise one class of failure, run no program of the repository."""

# hot path: see tests/test_budgets.py

from __future__ import annotations

import os

from pycache_guard import compat
from pycache_guard.errors import Failure
from pycache_guard.git import spawn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: The oldest git that the program works with.
OLDEST_GIT = "2.25"
#: A directory and a file that are not there. Of `/dev/null` Windows makes a place on the current drive,
#: where anybody can make it one; where this package is installed nobody can.
NOWHERE = os.path.join(os.path.dirname(__file__), "none") if compat.WINDOWS else os.devnull
#: A repository's configuration may name programs; none of them is run by what we ask git for, but
#: for the file system monitor and the hooks (`post-index-change`), which are switched off here, and the
#: filters and configured hooks, which `index.without_programs` switches off for each write.
#: The third setting disables commit graphs. Git trusts them without reading the commits
#: (gitformat-commit-graph(5)), so a forged graph hides commits from the check. Only commands that check
#: commits walk history, and each of them must read what is stored, so there is no exception: it costs
#: 20 µs per commit of the range (97,900 commits: 2.3 s instead of 0.2 s), nothing for usual pushes.
GIT_COMMAND = (
    *("git", "--no-pager", "-c", "core.fsmonitor=false", "-c", f"core.hooksPath={NOWHERE}"),
    *("-c", "core.commitGraph=false"),
)

#: Of every raw comparison: neither renames (a rename onto a bytecode name is new there) nor what
#: .gitmodules says of its own submodules hides a difference.
RAW_DIFF_OPTIONS = ("--raw", "-z", "--no-renames", "--no-abbrev", "--ignore-submodules=none")

#: `GIT_*` is otherwise inherited: under a hook it says which index is being committed, and in
#: `pre-receive` where the pushed objects are.
DROPPED_VARIABLES = (
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    # `git config` would read this file instead of the repository's.
    "GIT_CONFIG",
)
FIXED_VARIABLES = {
    # Messages in one language, so that output is the same everywhere.
    "LC_ALL": "C",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    # Stored objects are checked, and not their replacements in refs/replace/.
    "GIT_NO_REPLACE_OBJECTS": "1",
    # The same for info/grafts; git prints no warning about a missing file.
    "GIT_GRAFT_FILE": f"{NOWHERE}/none",
    # A partial clone fetches what it lacks, silently: not by us. The first is for git 2.45 and
    # later, the second makes earlier ones fail instead.
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
}


#: The digits of object ids.
HEXADECIMAL = b"0123456789abcdef"
#: How git ends when the user interrupts us both, and git is the faster: by SIGINT, or on Windows with
#: STATUS_CONTROL_C_EXIT.
INTERRUPTED = (-2, 0xC000013A)


#: Why git wants to fetch, which it is forbidden here.
LACKING = (
    "this partial clone lacks an object, and git would fetch it; fetch it first, or use git 2.27 or"
    " later, which compares commits without it"
)


class GitFailure(Failure):
    """Git ended with an error, could not be started, or printed malformed output."""


class Silent(Failure):
    """Git waits for input that does not arrive.

    This is not a `GitFailure`, so that no caller tries again: the next git would wait as long.
    """


class parsing_output:  # noqa: N801 - a context manager, named like those of contextlib
    """Turn any parsing error in a block into a `GitFailure`: malformed output is an error of git."""

    def __init__(self, verb: str) -> None:
        self._verb = verb

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Raise `GitFailure` for what parsing raises; `UnicodeDecodeError` is a `ValueError`."""
        if kind is not None and issubclass(kind, (ValueError, IndexError)):
            raise GitFailure(f"git {self._verb}: its output is malformed") from None


def is_object_id(text: bytes) -> bool:
    """Return whether `text` is a whole object id of SHA-1 or SHA-256, as git prints it."""
    return len(text) in (40, 64) and not text.translate(None, HEXADECIMAL)


def object_id(answer: bytes, verb: str) -> str:
    """Return an answer that is one object id, without its newline. Raises `GitFailure`."""
    text = answer.rstrip()
    if not is_object_id(text):
        raise GitFailure(f"git {verb}: its output is malformed")
    return text.decode("ascii")


class Git:
    """One git process under way."""

    def __init__(
        self,
        *args: str,
        stdin: int | None = None,
        stdout: int | None = None,
        feed: bool = False,
        env: Mapping[str, str] | None = None,
    ) -> None:
        #: `-C DIR` and its like, each with a value, come before the verb.
        self._verb = next(word for n, word in enumerate(args) if not n % 2 and word[0] != "-")
        try:
            self._child = spawn.start_child(
                (*GIT_COMMAND, *args), env or environment(), stdin=stdin, stdout=stdout, feed=feed
            )
        except FileNotFoundError:
            raise GitFailure(
                f"git was not found on PATH: install git {OLDEST_GIT} or later"
            ) from None
        except OSError as error:
            raise GitFailure(f"git could not be started: {error.strerror}") from None
        self.pipe_capacity = self._child.pipe_capacity
        self.enlarge_output = self._child.enlarge_output
        self.close_stdin = self._child.close_stdin
        self.has_output = self._child.has_output
        self._ended = False
        #: The stderr of git; complete after `wait`.
        self.words = b""

    def read(self) -> bytes:
        """Read some bytes of stdout; `b""` at the end. Raises `Silent`."""
        try:
            return self._child.read()
        except TimeoutError:
            raise self._silent() from None

    def kill(self) -> None:
        """End it now, if it has not ended."""
        if not self._ended:
            self._ended = True
            self._child.kill()

    def write(self, data: bytes) -> None:
        """Write to git's stdin. Raises `GitFailure`, with its words, when git no longer reads."""
        try:
            self._child.write(data)
        except BrokenPipeError:
            self.wait()
            raise GitFailure(f"git {self._verb}: ended before it read all of its input") from None

    def chunks(self) -> Iterator[bytes]:
        """Yield stdout as it arrives, then call `wait`."""
        while chunk := self.read():
            yield chunk
        self.wait()

    def output(self) -> bytes:
        """Return the whole of stdout. Raises `GitFailure` when git fails."""
        return b"".join(self.chunks())

    def wait(self, *, allowed: tuple[int, ...] = (0,)) -> int:
        """Wait for the end; raise `GitFailure` with git's own words unless its code is `allowed`.

        Raises `KeyboardInterrupt` when git was interrupted: so are we.
        """
        self._ended = True
        try:
            code, errors = self._child.wait()
        except TimeoutError:
            raise self._silent() from None
        self.words = errors
        if code in INTERRUPTED:
            raise KeyboardInterrupt
        if code not in allowed:
            raise GitFailure(f"git {self._verb}: {error_message(errors) or f'ended with {code}'}")
        return code

    def _silent(self) -> Silent:
        seconds = 2 * spawn.SILENCE_MILLISECONDS // 1000
        return Silent(
            f"git {self._verb}: was idle for {seconds} seconds and was stopped;"
            " a file that it reads may be a pipe"
        )


def environment(**changes: str) -> dict[str, str]:
    """Return the environment that git is run with: the inherited one, made safe and literal."""
    kept = {name: value for name, value in os.environ.items() if name not in DROPPED_VARIABLES}
    if "PATH" in kept:  # of what git may start in turn
        kept["PATH"] = compat.absolute_entries(kept["PATH"])
    return {**kept, **FIXED_VARIABLES, **changes}


def git_output(*args: str) -> bytes:
    """Run git and return its stdout. Raises `GitFailure` when it ends with anything but 0."""
    return Git(*args).output()


def error_message(stderr: bytes) -> str:
    """Return the error message in the stderr of git, as one line.

    Warnings, hints and trace output before the first `fatal:` or `error:` are left out.
    """
    lines = [line.strip() for line in stderr.decode("utf-8", "backslashreplace").splitlines()]
    starts = [n for n, line in enumerate(lines) if line.startswith(("fatal: ", "error: "))]
    chosen = lines[starts[0] :] if starts else lines[-1:]
    words = [line.removeprefix("fatal: ").removeprefix("error: ") for line in chosen if line]
    reason = "; ".join(dict.fromkeys(words))
    if reason.startswith("transport '") and reason.endswith("' not allowed"):
        # Our own setting; git before 2.27 fetches for each comparison in a partial clone (95acf11a3d).
        return f"{LACKING} ({reason})"
    return reason
