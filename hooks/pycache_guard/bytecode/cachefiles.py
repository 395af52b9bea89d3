"""The former name of `cache_names`, until nothing imports it any more."""

from __future__ import annotations

from pycache_guard.bytecode.cache_names import candidate_modules as modules
from pycache_guard.bytecode.cache_names import has_source
from pycache_guard.bytecode.cache_names import has_source_beside
from pycache_guard.bytecode.cache_names import is_bytecode_name as is_legacy
from pycache_guard.bytecode.cache_names import is_cache_directory
from pycache_guard.bytecode.cache_names import is_cache_name as is_cached
from pycache_guard.bytecode.cache_names import legacy_source_names as legacy_sources
from pycache_guard.bytecode.cache_names import may_hold_bytecode

__all__ = [
    "has_source",
    "has_source_beside",
    "is_cache_directory",
    "is_cached",
    "is_legacy",
    "legacy_sources",
    "may_hold_bytecode",
    "modules",
]
