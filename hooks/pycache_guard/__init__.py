"""Keep Python bytecode out of places where it does not belong.

`read_pyc` and `load_code`, with their exceptions, come from `pycache_guard.api`. That module is imported
at the first access, so that the start-up of a hook does not pay for it.
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


#: Public names of `api`.
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
    """Import and return a name of the API (PEP 562)."""
    if name not in _API:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pycache_guard import api

    value: object = getattr(api, name)
    return value
