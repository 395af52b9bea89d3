"""A clock that ends a process which lets us wait too long: on every platform, whatever it does."""

from __future__ import annotations

import threading
import time

from pycache_guard.errors import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess

#: How often it looks, in seconds.
_INTERVAL = 0.1


class Watchdog:
    """Kills `child` when one `with` block lasts longer than `patience` seconds."""

    def __init__(self, child: subprocess.Popen[bytes], patience: float) -> None:
        self._child = child
        #: In seconds.
        self.patience = patience
        self._since: float | None = None
        self._stopped = threading.Event()
        #: Whether it has killed.
        self.has_bitten = False
        try:
            threading.Thread(target=self._watch, daemon=True).start()
        except RuntimeError as error:  # the limit of processes is reached
            with child:  # waits for its end, and closes its pipes
                child.kill()
            raise Failure(f"no compiler can be watched: {error}") from None

    def __enter__(self) -> None:
        self._since = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._since = None

    def stop(self) -> None:
        """Watch no longer."""
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.wait(_INTERVAL):
            since = self._since
            if since is not None and time.monotonic() - since > self.patience:
                self.has_bitten = True
                self._child.kill()
                return
