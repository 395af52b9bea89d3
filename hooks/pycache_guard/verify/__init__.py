"""The job of `verify-bytecode`: check whether each bytecode file comes from its source.

`stores` lists files on disk or in the index; `verdicts` checks names and headers, and turns comparisons
into verdicts; `compare` has sources compiled and compares; `verify` runs all of it.
"""
