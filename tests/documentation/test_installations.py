"""What a reader installs the program with, once each, in an environment of his own."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest

import pycache_guard
from documentation.blocks import BLOCKS, blocks_of_page

if TYPE_CHECKING:
    from documentation.blocks import Block
    from documentation.sandbox import Sandbox
    from helpers.runners import Checkout

#: An environment that has the pip of this one: to install it again takes longer than all that follows.
FRESH = f"""\
'{sys.executable}' -m venv --without-pip fresh
pip=$('{sys.executable}' -c 'import pip; print(*pip.__path__)')
ln -s "$pip" "$pip"-*.dist-info "$(echo fresh/lib/*/site-packages)"
"""


def installing(word: str) -> Block:
    """Return the `sh` block that installs and has a word."""
    (block,) = [b for b in blocks_of_page("sh") if "pip install" in b.text and word in b.text]
    return block


def test_the_version_that_is_named_is_this_one() -> None:
    """In every block: a release that forgets one leaves readers with the last."""
    text = "".join(block.text for block in BLOCKS)
    named = re.findall(r"(?:rev: |pycache-guard@)v([\w.]+)", text)
    assert len(named) > 8
    assert set(named) == {pycache_guard.__version__}


@pytest.mark.parametrize(
    ("word", "check"),
    [
        ("python3 -m pip install git+https", "pycache-guard --version"),
        ("pycache-guard[flake8]", "flake8 --version | grep pycache-guard"),
    ],
)
def test_from_the_address(stage: Sandbox, word: str, check: str) -> None:
    script = f'{FRESH}\nPATH="$PWD/fresh/bin:/usr/bin:/bin"\n{installing(word).text}{check}'
    answer = stage.run(f"set -eu\n{script}")
    assert answer.code == 0, answer.out


def test_from_a_clone(stage: Sandbox, checkout: Checkout) -> None:
    """In the clone, and from another repository, which is judged."""
    block = installing("GUARD")
    clone = stage.prepare(f"git clone --quiet '{checkout.path}' clone && cd clone")
    answer = stage.run(block.text, clone)
    assert answer.code == 0, answer.out
    other = stage.prepare("git init --quiet other && cd other && touch a.pyc && git add a.pyc")
    answer = stage.run(block.text, other, GUARD="../clone")
    assert answer.code == 1
    assert "a.pyc: PYC001 bytecode is tracked" in answer.out
