"""Files that say how an image is built, by name. Names are git's bytes.

`NAME.dockerignore` beside a Dockerfile comes before the context's own: BuildKit,
`frontend/dockerui/config.go`. Podman has `.containerignore` before `.dockerignore`: containers/common,
`docs/containerignore.5.md`.
"""

from __future__ import annotations

import re

_DOCKERFILE = re.compile(
    rb"(?:docker|container)file (?:[.-].*)? | .+\.(?:docker|container)file",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)

#: What stands behind `Dockerfile` in the name of a text about one, or of what one is made from.
_NOT_BUILT = (b".md", b".rst", b".py", b".erb", b".j2", b".jinja", b".jinja2", b".tmpl", b".tpl")

_COMPOSE = re.compile(
    rb"(?:docker-|podman-)? compose (?:[.-].*)? \.ya?ml", re.IGNORECASE | re.VERBOSE | re.DOTALL
)

#: In lower case, what the name of each file that is wanted holds.
_MARKS = (b"dockerfile", b"containerfile", b"dockerignore", b"containerignore", b"compose")


def may_name_one(text: bytes) -> bool:
    """Tell whether `text`, a path or a whole listing, can name any of these files at all."""
    lowered = text.lower()
    return any(mark in lowered for mark in _MARKS)


def is_one(path: bytes) -> bool:
    """Whether `path` is a Dockerfile's, a compose file's or an ignore file's."""
    return is_dockerfile(path) or is_compose_file(path) or is_ignore_file(path)


def is_dockerfile(path: bytes) -> bool:
    """Whether a file is a Dockerfile: `Dockerfile`, `Containerfile.dev`, `app.dockerfile`."""
    name = path.rpartition(b"/")[2]
    return (
        _DOCKERFILE.fullmatch(name) is not None
        and not is_ignore_file(name)
        and not name.lower().endswith(_NOT_BUILT)
    )


def is_compose_file(path: bytes) -> bool:
    """Whether a file is one of compose's: `compose.yaml`, `docker-compose.override.yml`."""
    return _COMPOSE.fullmatch(path.rpartition(b"/")[2]) is not None


def is_ignore_file(path: bytes) -> bool:
    """Whether a file is a context's ignore file, or a Dockerfile's own."""
    return path.endswith((b".dockerignore", b".containerignore"))


def ignore_files(context: bytes, dockerfile: bytes) -> list[bytes]:
    """Name the ignore files of a build, of which the first that exists counts.

    `dockerfile` is empty where none is known.
    """
    own = [dockerfile + b".dockerignore"] if dockerfile else []
    podman = b"containerfile" in dockerfile.rpartition(b"/")[2].lower()
    names = [b".containerignore"] * podman + [b".dockerignore"]
    return own + [below(context, name) for name in names]


def below(directory: bytes, name: bytes) -> bytes:
    """Join a directory, `b""` for the top, and a name."""
    return b"%s/%s" % (directory, name) if directory else name
