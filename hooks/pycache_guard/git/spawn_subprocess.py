"""A child process where Python has no `posix_spawnp`: on Windows, and PyPy."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import tempfile
from typing import TYPE_CHECKING

from pycache_guard import compat
from pycache_guard.git import spawn
from pycache_guard.git.spawn import CHUNK_BYTES, MIN_PIPE_BYTES, Silence, _live

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import IO


class SubprocessChild:
    """A `spawn.Child` by `subprocess`; stderr goes to a temporary file, so neither stream can block."""

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
        self._silence = Silence(self._process.pid)

    def pipe_capacity(self) -> int:
        """Return how many bytes stdin holds unread."""
        return MIN_PIPE_BYTES

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
        """Read up to `size` bytes of stdout; `b""` at the end.

        Raises `TimeoutError`, but not on Windows.
        """
        assert self._process.stdout is not None
        while not self._poll(spawn.POLL_MILLISECONDS):
            self._silence.extend()
        self._silence.end()
        return self._process.stdout.read(size) or b""

    def has_output(self, seconds: float) -> bool:
        """Return whether `read` would return at once, after waiting for up to `seconds`.

        Always true on Windows, where a pipe cannot be waited for: `read` waits instead.
        """
        return self._poll(seconds * 1000)

    def _poll(self, milliseconds: float) -> bool:
        if compat.WINDOWS:
            return True
        import select

        assert self._process.stdout is not None
        poll = select.poll()
        poll.register(self._process.stdout, select.POLLIN)
        return bool(poll.poll(milliseconds))

    def wait(self) -> tuple[int, bytes]:
        """Close the pipes, wait for the end; return the exit code and stderr.

        Raises `TimeoutError`, but not on Windows.
        """
        self.close_stdin()
        if self._process.stdout is not None:
            self._process.stdout.close()
        code = None
        while code is None:
            try:
                code = self._process.wait(
                    None if compat.WINDOWS else spawn.POLL_MILLISECONDS / 1000
                )
            except subprocess.TimeoutExpired:
                self._silence.extend()
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
        """Send a signal to the child; on Windows, end it, because there is no other way."""
        if compat.WINDOWS:
            self._process.kill()
        else:
            self._process.send_signal(number)

    def stop(self) -> None:
        """End the child with SIGTERM, and with SIGKILL if that fails; on Windows, end it now."""
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(spawn.STOP_POLLS * spawn.POLL_SECONDS)
        self.kill()
