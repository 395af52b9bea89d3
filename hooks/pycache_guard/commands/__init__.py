"""Doors: one file a command; argv, stdin and environment in, exit code out."""
