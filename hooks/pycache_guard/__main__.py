"""`python -m pycache_guard`."""

from __future__ import annotations

from pycache_guard.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
