"""Ignore files as text: bytes in, bytes out, no I/O."""
