"""Functions that take and return paths, by their dotted names."""

from __future__ import annotations

#: Calls whose arguments are parts of one path.
JOINS = frozenset(
    {
        "os.path.join",
        "posixpath.join",
        "ntpath.join",
        "pathlib.Path",
        "pathlib.PurePath",
        "pathlib.PosixPath",
        "pathlib.PurePosixPath",
        "pathlib.WindowsPath",
        "pathlib.PureWindowsPath",
    }
)
#: Calls that return the path they are given, in another form.
IDENTITY_CALLS = frozenset(
    {
        "builtins.str",
        "os.fspath",
        "os.fsencode",
        "os.fsdecode",
        "os.path.abspath",
        "os.path.realpath",
        "os.path.normpath",
        "os.path.expanduser",
    }
)
#: Calls that return where bytecode is.
CACHES = frozenset(
    {"importlib.util.cache_from_source", "imp.cache_from_source", "py_compile.compile"}
)
#: Calls that return some of what they are given.
FILTERING_CALLS = frozenset(
    {"builtins.sorted", "builtins.list", "builtins.set", "builtins.reversed"}
)
#: Methods of `pathlib.Path` that return the same path in another form.
SAME_METHODS = frozenset({"absolute", "resolve", "expanduser", "as_posix"})
