"""Remove caches: plan everything first, then remove, then report errors."""
