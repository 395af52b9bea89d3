from __future__ import annotations

import pytest

from pycache_guard.dockerignore.names import (
    ignore_files,
    is_compose_file,
    is_docker_file,
    is_dockerfile,
    is_ignore_file,
    join,
    may_contain_docker_file,
)

DOCKERFILES = [
    *(b"Dockerfile", b"a/Dockerfile", b"dockerfile", b"Containerfile", b"Dockerfile.dev"),
    *(
        b"app.dockerfile",
        b"app.Dockerfile",
        b"Containerfile-x",
        b"b.containerfile",
        b"Dockerfile.\n",
    ),
]
COMPOSE = [
    *(b"compose.yaml", b"compose.yml", b"a/docker-compose.yml", b"docker-compose.override.yml"),
    *(b"compose.dev.yaml", b"podman-compose.yml", b"docker-compose-prod.yml"),
]
IGNORES = [b".dockerignore", b"a/.dockerignore", b"Dockerfile.dockerignore", b".containerignore"]
OTHERS = [
    *(b"Dockerfile/a", b"xDockerfile", b"Dockerfiles", b"Dockerfile.md", b"Dockerfile.j2"),
    *(b"mycompose.yml", b"compose.json", b"dockerignore", b"composer.yaml"),
]


@pytest.mark.parametrize("path", [*DOCKERFILES, *COMPOSE, *IGNORES, *OTHERS])
def test_names_of_docker_files_are_recognized(path: bytes) -> None:
    assert is_dockerfile(path) == (path in DOCKERFILES)
    assert is_compose_file(path) == (path in COMPOSE)
    assert is_ignore_file(path) == (path in IGNORES)
    assert is_docker_file(path) == (path not in OTHERS)
    assert may_contain_docker_file(path) or not is_docker_file(path)


def test_may_contain_docker_file_of_other_paths_is_false() -> None:
    assert not may_contain_docker_file(b"100644 0 0\tpkg/a.py\0")


@pytest.mark.parametrize(
    ("context", "dockerfile", "names"),
    [
        (b"", b"", [b".dockerignore"]),
        (b"a", b"a/Dockerfile", [b"a/Dockerfile.dockerignore", b"a/.dockerignore"]),
        (b"", b"d/x.Dockerfile", [b"d/x.Dockerfile.dockerignore", b".dockerignore"]),
        (
            b"a",
            b"a/Containerfile",
            [b"a/Containerfile.dockerignore", b"a/.containerignore", b"a/.dockerignore"],
        ),
        (
            b"",
            b"containerfiles/Dockerfile",
            [b"containerfiles/Dockerfile.dockerignore", b".dockerignore"],
        ),
    ],
)
def test_ignore_files_are_in_the_order_of_precedence(
    context: bytes, dockerfile: bytes, names: list[bytes]
) -> None:
    assert ignore_files(context, dockerfile) == names


def test_join_of_the_top_is_the_name() -> None:
    assert (join(b"", b"n"), join(b"d", b"n")) == (b"n", b"d/n")
