from __future__ import annotations

import random

from fuzz.mutations import mutated
from fuzz.seeds import seeds
from fuzz.targets import one
from hypothesis import given
from hypothesis import strategies as st

SEEDS = seeds()


@given(st.one_of(st.binary(), st.builds(bytes.__add__, st.sampled_from(SEEDS), st.binary())))
def test_any_bytes(data: bytes) -> None:
    assert one(data) in ("no header", "no code", "code")


@given(st.sampled_from(SEEDS), st.randoms(use_true_random=False))
def test_files_that_are_nearly_right(seed: bytes, chance: random.Random) -> None:
    assert one(mutated(seed, chance)) in ("no header", "no code", "code")


def test_seeds_are_right() -> None:
    assert {one(seed) for seed in SEEDS} == {"no code", "code"}
