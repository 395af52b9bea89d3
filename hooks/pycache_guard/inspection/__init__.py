"""The job of `inspect`: describe a bytecode file by its header and its code, which is not run.

`locate` reads the file; `facts` gathers facts; `render` and `json` format them.
"""
