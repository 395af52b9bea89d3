"""Every target, by name. A new one is a function and a line in its module's `TARGETS`."""

from __future__ import annotations

from fuzz.targets import archives
from fuzz.targets import bytecode
from fuzz.targets import dockerignore
from fuzz.targets import git_output
from fuzz.targets import gitignore
from fuzz.targets import inspection
from fuzz.targets import names
from fuzz.targets import reports
from fuzz.targets import settings
from fuzz.targets import sources

TARGETS = {
    **bytecode.TARGETS,
    **inspection.TARGETS,
    **names.TARGETS,
    **dockerignore.TARGETS,
    **gitignore.TARGETS,
    **git_output.TARGETS,
    **archives.TARGETS,
    **settings.TARGETS,
    **sources.TARGETS,
    **reports.TARGETS,
}
