"""Every target, by name. A new one is a function and a line in its module's `TARGETS`."""

from __future__ import annotations

from fuzz.targets import (
    archives,
    bundles,
    bytecode,
    dockerignore,
    git_output,
    gitignore,
    inspection,
    names,
    reports,
    settings,
    sources,
)

TARGETS = {
    **bytecode.TARGETS,
    **inspection.TARGETS,
    **names.TARGETS,
    **dockerignore.TARGETS,
    **gitignore.TARGETS,
    **git_output.TARGETS,
    **archives.TARGETS,
    **bundles.TARGETS,
    **settings.TARGETS,
    **sources.TARGETS,
    **reports.TARGETS,
}
