"""Files and directories on disk: walk without following links, read, and replace files atomically.

There are two cursors. `fd_cursor` opens directories relative to each other by descriptor, so replacing
a directory by a link has no effect. `path_cursor` is for Windows, whose system calls take no directory
descriptor: it checks every part of a path before use, and a check-then-use race remains.
"""
