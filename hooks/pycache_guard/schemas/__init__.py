"""JSON Schemas (draft 7) of the JSON report and of `[tool.pycache-guard]`."""

from __future__ import annotations

import json
import os
from typing import Any


def load_schema(name: str) -> dict[str, Any]:
    """Return the schema `report` or `config`. Raises `FileNotFoundError` for another name."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), f"{name}.schema.json")
    with open(path, encoding="utf-8") as file:
        schema: dict[str, Any] = json.load(file)
    return schema


def config_schema(tool: str) -> dict[str, Any]:
    """Return the schema of the table `tool` of pyproject.toml, which is `pycache-guard`.

    This is the entry point `validate_pyproject.tool_schema`
    (https://validate-pyproject.readthedocs.io/en/latest/dev-guide.html).
    """
    return load_schema("config")
