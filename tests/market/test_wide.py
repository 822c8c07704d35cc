"""Integers of two limbs against Python's, at the edges of int32 and across carries."""

import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lobjax.wide import add, minus, plus, product, to_float, to_int, wide

INT = st.integers(-(2**31) + 1, 2**31 - 1)


@given(st.lists(st.tuples(INT, INT), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_sums_of_products_are_exact(pairs):
    total, exact = wide(), 0
    for a, b in pairs:
        total, exact = plus(total, product(jnp.int32(a), jnp.int32(b))), exact + a * b
        if abs(exact) < 2**61:
            assert int(to_int(total)) == exact
    assert int(to_int(minus(total, total))) == 0


@given(st.lists(st.integers(-(2**30), 2**30), min_size=1, max_size=30))
@settings(max_examples=50, deadline=None)
def test_additions_carry(amounts):
    total = wide()
    for amount in amounts:
        total = add(total, jnp.int32(amount))
    assert int(to_int(total)) == sum(amounts)
    assert 0 <= int(total.low) < 2**30


def test_a_long_episode_passes_32_bits():
    total = wide((2,))
    for _ in range(10):
        total = plus(
            total, product(jnp.array([2**31 - 1, -(2**31) + 1], jnp.int32), jnp.array([10**6, 10**6], jnp.int32))
        )
    assert np.array_equal(to_int(total), [10 * (2**31 - 1) * 10**6, -10 * (2**31 - 1) * 10**6])


def test_small_numbers_of_either_sign_are_exact_floats():
    for number in (-1, -2000, -(2**24), 0, 1, 2**24):
        assert float(to_float(add(wide(), jnp.int32(number)))) == number
    assert float(to_float(product(jnp.int32(-(2**30)), jnp.int32(3)))) == -3.0 * 2**30
