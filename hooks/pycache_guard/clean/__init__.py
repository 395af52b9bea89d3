"""Remove caches: where from, which of them, and what stood in the way. Plan, then apply."""
