"""The directories in which version control systems keep their own files."""

from __future__ import annotations

#: Directory names, each with entries of which at least one exists in a real one. Git has branches, and
#: with them files, named `x.pyc`; Subversion keeps copies of tracked files. `_darcs` has no entries
#: here, because it can also be the name of a package.
VCS_ENTRIES = {
    ".git": ("HEAD",),
    ".hg": ("requires", "store", "00changelog.i"),
    ".svn": ("wc.db", "entries"),
    ".bzr": ("branch-format", "branch"),
    ".jj": ("repo",),
    ".sl": ("requires", "store"),
    "_darcs": (),
}
VCS_DIRS = frozenset(VCS_ENTRIES)
