"""The former name of `cache_names`, until nothing imports it any more."""

from __future__ import annotations

from pycache_guard.bytecode.cache_names import CacheName
from pycache_guard.bytecode.cache_names import parse_cache_name
from pycache_guard.bytecode.cache_names import source_candidates

__all__ = ["CacheName", "parse_cache_name", "source_candidates"]
