"""The job of `inspect`: describe a bytecode file by its header and its code, which is not run.

`facts` reads the file and gathers facts; `render` formats them as text and as JSON.
"""
