"""Child processes by `subprocess`: where Python has no `posix_spawnp`, and on Windows."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import errno
import os
import subprocess
import tempfile
from typing import TYPE_CHECKING

from pycache_guard import compat
from pycache_guard.git.spawn import CHUNK_BYTES, MIN_PIPE_BYTES, _live

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import IO


def start_process(
    program: str,
    argv: Sequence[str],
    env: Mapping[str, str],
    streams: tuple[int | None, int, int],
    mask: set[int],
) -> int:
    """Start a process as `os.posix_spawnp` does, on a POSIX system; return its id.

    `streams` are its stdin, where None is `/dev/null`, its stdout and its stderr. Raises `OSError`.
    """
    stdin, stdout, stderr = streams
    process = subprocess.Popen(
        [*argv],
        executable=program,
        env=dict(env),
        stdin=subprocess.DEVNULL if stdin is None else stdin,
        stdout=stdout,
        stderr=stderr,
        preexec_fn=lambda: _signal.pthread_sigmask(_signal.SIG_SETMASK, mask),  # noqa: PLW1509
    )
    process.returncode = 0  # so that it does not wait for the process, as the caller will
    return process.pid


class SubprocessChild:
    """A `spawn.Child` on Windows; stderr goes to a temporary file, so neither stream can block."""

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        *,
        stdin: int | None,
        stdout: int | None,
        feed: bool,
    ) -> None:
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by wait()
        source = subprocess.PIPE if feed else subprocess.DEVNULL if stdin is None else stdin
        try:
            self._process = subprocess.Popen(
                [compat.find_program(argv[0], env.get("PATH")), *argv[1:]],
                env=dict(env),
                stdin=source,
                stdout=subprocess.PIPE if stdout is None else stdout,
                stderr=self._errors,
                bufsize=0,
            )
        except OSError:
            self._errors.close()
            raise

    def pipe_capacity(self) -> int:
        """Return how many bytes stdin holds unread."""
        return MIN_PIPE_BYTES

    def enlarge_output(self) -> None:
        """Do nothing: Windows has no such call."""

    def write(self, data: bytes) -> None:
        """Write all of `data` to stdin."""
        assert self._process.stdin is not None
        view = memoryview(data)
        while view:
            try:
                view = view[self._process.stdin.write(view) :]
            except OSError as error:
                # Windows reports a closed pipe like this: bpo-30418.
                if error.errno == errno.EINVAL:
                    raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from None
                raise

    def close_stdin(self) -> None:
        """Tell the child that there is no more input."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def read(self, size: int = CHUNK_BYTES) -> bytes:
        """Read up to `size` bytes of stdout; `b""` at the end."""
        assert self._process.stdout is not None
        return self._process.stdout.read(size) or b""

    def has_output(self, seconds: float) -> bool:
        """Return whether `read` would return at once, after waiting for up to `seconds`.

        Always true on Windows, where a pipe cannot be waited for: `read` waits instead.
        """
        if compat.WINDOWS:
            return True
        import select

        assert self._process.stdout is not None
        poll = select.poll()
        poll.register(self._process.stdout, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def wait(self) -> tuple[int, bytes]:
        """Close the pipes, wait for the end; return the exit code and stderr."""
        self.close_stdin()
        if self._process.stdout is not None:
            self._process.stdout.close()
        code = self._process.wait()
        self._errors.seek(0)
        errors = self._errors.read()
        self._errors.close()
        _live.remove(self)
        return code, errors

    def kill(self) -> None:
        """End the child now."""
        self._process.kill()
        self.wait()

    def send_signal(self, number: int) -> None:
        """End the child now, by whatever signal: Windows has no other way."""
        self._process.kill()

    def stop(self) -> None:
        """End the child now: Windows has no other way."""
        self.kill()
