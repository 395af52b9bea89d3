"""The former name of `cache_names`, until nothing imports it any more."""

from __future__ import annotations

from pycache_guard.bytecode.cache_names import is_tag
from pycache_guard.bytecode.cache_names import tag_fits

__all__ = ["is_tag", "tag_fits"]
