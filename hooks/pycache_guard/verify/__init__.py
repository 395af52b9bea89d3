"""The job of `verify-bytecode`: check whether each bytecode file comes from its source.

`stores` lists files on disk or in the index; `compare` has sources compiled and compares the code;
`check` checks names and headers, and runs all of it.
"""
