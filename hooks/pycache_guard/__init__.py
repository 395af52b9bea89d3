"""Keep Python bytecode out of places where it does not belong.

`read_pyc` and `load_code`, with what they raise, are `pycache_guard.api`'s, imported when they are asked
for: a hook's start-up does not pay for them.
"""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pycache_guard.api import InvalidHeader as InvalidHeader
    from pycache_guard.api import LoadError as LoadError
    from pycache_guard.api import MarshalError as MarshalError
    from pycache_guard.api import Pyc as Pyc
    from pycache_guard.api import UnsupportedFormat as UnsupportedFormat
    from pycache_guard.api import load_code as load_code
    from pycache_guard.api import read_pyc as read_pyc


#: What `api` exports.
_API = (
    "InvalidHeader",
    "MarshalError",
    "Pyc",
    "LoadError",
    "UnsupportedFormat",
    "load_code",
    "read_pyc",
)


def __getattr__(name: str) -> object:
    """Import a name of the API (PEP 562)."""
    if name not in _API:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pycache_guard import api

    value: object = getattr(api, name)
    return value
