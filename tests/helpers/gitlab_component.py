"""Make a job of `templates/bytecode.yml` as GitLab does."""

from __future__ import annotations

import re
from typing import Any

import yaml

from helpers.runners import ROOT


def interpolate_component(**given: str) -> dict[str, Any]:
    """Return the job with inputs in place (https://docs.gitlab.com/ci/inputs/)."""
    head, job = (ROOT / "templates" / "bytecode.yml").read_text("utf-8").split("\n---\n")
    inputs = yaml.safe_load(head)["spec"]["inputs"]
    values = {**{name: spec["default"] for name, spec in inputs.items()}, **given}
    assert values.keys() == inputs.keys()
    text = re.sub(r"\$\[\[ *inputs\.([\w-]+) *\]\]", lambda found: values[found[1]], job)
    assert "$[[" not in text
    document: dict[str, Any] = yaml.safe_load(text)
    return document
