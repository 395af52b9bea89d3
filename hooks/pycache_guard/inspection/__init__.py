"""The use case of `inspect`: what a bytecode file is, from header and inert code.

`places` reads it; `examine` gathers facts; `as_text` and `as_json` say them.
"""
