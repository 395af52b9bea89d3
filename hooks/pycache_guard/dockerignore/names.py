"""Recognize files that define how images are built, by name. Names are bytes, as git has them.

`NAME.dockerignore` next to a Dockerfile takes precedence over that of the context: BuildKit,
`frontend/dockerui/config.go`. Podman has `.containerignore` before `.dockerignore`: containers/common,
`docs/containerignore.5.md`.
"""

from __future__ import annotations

import re

_DOCKERFILE = re.compile(
    rb"(?:docker|container)file (?:[.-].*)? | .+\.(?:docker|container)file",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)

#: What follows `Dockerfile` in the name of a text about one, or of the template of one.
_TEMPLATE_SUFFIXES = (
    b".md",
    b".rst",
    b".py",
    b".erb",
    b".j2",
    b".jinja",
    b".jinja2",
    b".tmpl",
    b".tpl",
)

_COMPOSE = re.compile(
    rb"(?:docker-|podman-)? compose (?:[.-].*)? \.ya?ml", re.IGNORECASE | re.VERBOSE | re.DOTALL
)

#: The files that `docker compose` finds on its own, and those it merges over them.
_MAIN = re.compile(rb"(?:docker-|podman-)?compose\.ya?ml", re.IGNORECASE)
_OVERRIDE = re.compile(rb"(.+)\.override\.(ya?ml)", re.IGNORECASE | re.DOTALL)
#: A path in a template directory (cookiecutter, copier).
_TEMPLATE = re.compile(rb"\{\{|\{%|\[\[")
#: Directories with copies of other projects, which are not built here (Go, npm, Bower).
_VENDORED = frozenset({b"bower_components", b"node_modules", b"vendor"})
#: The files that `docker buildx bake` merges, in its order (Buildx, `bake/bake.go`).
_BAKE = (
    b"docker-bake.json",
    b"docker-bake.hcl",
    b"docker-bake.override.json",
    b"docker-bake.override.hcl",
)

#: In lower case, what the name of each file that is wanted holds.
_SUBSTRINGS = (
    *(b"dockerfile", b"containerfile", b"dockerignore", b"containerignore", b"compose"),
    *(b"docker-bake", b"devcontainer"),
)


def may_contain_docker_file(text: bytes) -> bool:
    """Return whether `text`, a path or a whole listing of paths, may name any of these files."""
    lowered = text.lower()
    return any(mark in lowered for mark in _SUBSTRINGS)


def is_docker_file(path: bytes) -> bool:
    """Return whether `path` is a file that defines how images are built, or an ignore file."""
    return may_contain_docker_file(path) and (
        is_dockerfile(path)
        or is_compose_file(path)
        or is_ignore_file(path)
        or is_bake_file(path)
        or is_devcontainer(path)
    )


def is_foreign(path: bytes) -> bool:
    """Return whether a file is of another project: in a template directory, or in a vendored copy."""
    return _TEMPLATE.search(path) is not None or not _VENDORED.isdisjoint(path.split(b"/")[:-1])


def is_bake_file(path: bytes) -> bool:
    """Return whether a file is one that `docker buildx bake` finds on its own."""
    return path.rpartition(b"/")[2] in _BAKE


def bake_files(directory: bytes) -> list[bytes]:
    """Return the Bake files that a directory may have, in the order in which they are merged."""
    return [join(directory, name) for name in _BAKE]


def is_devcontainer(path: bytes) -> bool:
    """Return whether a file describes a development container (containers.dev, "devcontainer.json")."""
    return path.rpartition(b"/")[2] in (b"devcontainer.json", b".devcontainer.json")


def is_main_compose_file(path: bytes) -> bool:
    """Return whether `docker compose` finds a file on its own."""
    return _MAIN.fullmatch(path.rpartition(b"/")[2]) is not None


def base_of_override(path: bytes) -> list[bytes]:
    """Return the files, of which one may exist, over which `NAME.override.yml` is merged."""
    match = _OVERRIDE.fullmatch(path)
    return [match[1] + suffix for suffix in (b".yaml", b".yml")] if match else []


def is_dockerfile(path: bytes) -> bool:
    """Return whether a file is a Dockerfile: `Dockerfile`, `Containerfile.dev`, `app.dockerfile`."""
    name = path.rpartition(b"/")[2]
    return (
        _DOCKERFILE.fullmatch(name) is not None
        and not is_ignore_file(name)
        and not name.lower().endswith(_TEMPLATE_SUFFIXES)
    )


def is_compose_file(path: bytes) -> bool:
    """Return whether a file is a compose file: `compose.yaml`, `docker-compose.override.yml`."""
    return _COMPOSE.fullmatch(path.rpartition(b"/")[2]) is not None


def is_ignore_file(path: bytes) -> bool:
    """Return whether a file is the ignore file of a context or of a Dockerfile."""
    return path.endswith((b".dockerignore", b".containerignore"))


def ignore_files(context: bytes, dockerfile: bytes) -> list[bytes]:
    """Return the possible ignore files of a build; the first that exists counts.

    `dockerfile` is empty where none is known.
    """
    own = [dockerfile + b".dockerignore"] if dockerfile else []
    podman = b"containerfile" in dockerfile.rpartition(b"/")[2].lower()
    names = [b".containerignore"] * podman + [b".dockerignore"]
    return own + [join(context, name) for name in names]


def join(directory: bytes, name: bytes) -> bytes:
    """Join a directory, `b""` for the top, and a name."""
    return b"%s/%s" % (directory, name) if directory else name
