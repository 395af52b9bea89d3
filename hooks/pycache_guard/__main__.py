"""`python -m pycache_guard`."""

from __future__ import annotations

from pycache_guard.cli import run

if __name__ == "__main__":
    run()
