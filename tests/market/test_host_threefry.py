"""The random words that the engine `host` makes are those of `jax.random.bits`."""

import jax
import numpy as np
import pytest
from numba import njit

from lobjax.market.host.engine import ENGINE
from lobjax.market.host.threefry import BLOCK, fill


@njit
def _words(out, key):
    for first in range(0, out.shape[0], BLOCK):
        fill(out, first, min(first + BLOCK, out.shape[0]), key)


@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (256, 3), (50, 2)])
def test_words_are_those_of_jax(shape):
    for seed in (0, 1, 2**31 + 5):
        key = jax.random.fold_in(jax.random.key(seed), 9)
        out = np.zeros(np.prod(shape), np.uint32)
        _words(out, np.asarray(jax.random.key_data(key)))
        np.testing.assert_array_equal(out.reshape(shape), jax.random.bits(key, shape))


def test_other_generators_are_left_to_jax():
    assert ENGINE.takes_key(jax.random.key(0)) and not ENGINE.takes_key(jax.random.key(0, impl="rbg"))
    with jax.threefry_partitionable(False):
        assert not ENGINE.takes_key(jax.random.key(0))
