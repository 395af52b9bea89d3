from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.corpus import bytecode
from fuzz.mutations import mutate
from fuzz.targets.bytecode import TYPES, read_file
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    import random

SEEDS = bytecode()


@given(st.one_of(st.binary(), st.builds(bytes.__add__, st.sampled_from(SEEDS), st.binary())))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    assert read_file(data) in ("no header", "no code", "code")


@given(st.sampled_from(SEEDS), st.randoms(use_true_random=False))
def test_mutated_files_are_read_or_refused(seed: bytes, chance: random.Random) -> None:
    assert read_file(mutate(seed, chance, TYPES)) in ("no header", "no code", "code")


def test_seeds_are_well_formed() -> None:
    assert {read_file(seed) for seed in SEEDS} == {"no code", "code"}
