"""A batch run one by one gives what `vmap` gives, is compiled whole on a CPU and nowhere else, and survives what XLA would abort on."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.one_by_one import one_by_one

ROWS = jnp.arange(24, dtype=jnp.int32).reshape(4, 6)
MARK = "xla_cpu_small_call"


def walk(row: jax.Array, times: jax.Array) -> tuple[jax.Array, jax.Array]:
    """A loop whose length differs from row to row, with a branch in it."""

    def body(i: jax.Array, row: jax.Array) -> jax.Array:
        return jax.lax.cond(row[0] % 2 == 0, lambda x: x * 3 + i, lambda x: x - 1, row)

    row = jax.lax.fori_loop(0, times, body, row)
    return row, row.sum()


def sorted_walk(row: jax.Array, times: jax.Array) -> tuple[jax.Array, jax.Array]:
    row, total = walk(row, times)
    return jnp.sort(row), total


def assert_equal(got, wanted) -> None:
    jax.tree.map(np.testing.assert_array_equal, got, wanted)


@pytest.mark.parametrize("axes", ((0, 0), (0, None), (None, 0)))
def test_a_batch_gives_what_vmap_gives(axes: tuple):
    arguments = tuple(x if axis == 0 else x[0] for x, axis in zip((ROWS, jnp.arange(4)), axes, strict=True))
    got = jax.jit(jax.vmap(one_by_one(walk), in_axes=axes))(*arguments)
    assert_equal(got, jax.vmap(walk, in_axes=axes)(*arguments))


def test_one_member_and_nested_batches():
    run = one_by_one(walk)
    assert_equal(jax.jit(run)(ROWS[1], 3), walk(ROWS[1], 3))
    each = jax.vmap(jax.vmap(walk, (None, 0)), (0, None))
    assert_equal(jax.jit(jax.vmap(jax.vmap(run, (None, 0)), (0, None)))(ROWS, jnp.arange(3)), each(ROWS, jnp.arange(3)))


def test_it_is_compiled_whole_on_a_cpu_and_left_alone_elsewhere():
    traced = jax.jit(jax.vmap(one_by_one(walk))).trace(ROWS, jnp.arange(4))
    assert MARK in traced.lower(lowering_platforms=("cpu",)).as_text()
    assert MARK not in traced.lower(lowering_platforms=("cuda",)).as_text()


def test_what_cannot_be_compiled_whole_runs_as_it_is():
    program = jax.jit(jax.vmap(one_by_one(sorted_walk)))
    assert MARK not in program.lower(ROWS, jnp.arange(4)).as_text()
    assert_equal(program(ROWS, jnp.arange(4)), jax.vmap(sorted_walk)(ROWS, jnp.arange(4)))


def test_an_argument_that_turns_out_not_to_matter_does_no_harm():
    def scaled(row: jax.Array, factor: jax.Array, idle: jax.Array) -> jax.Array:
        return jax.lax.fori_loop(0, 3, lambda i, x: x + idle * factor, row)

    @jax.jit
    def program(rows: jax.Array, idle: jax.Array) -> jax.Array:
        # XLA puts the zero in, and finds that `idle` is not used.
        return jax.vmap(one_by_one(scaled), (0, None, None))(rows, jnp.int32(0), idle * 5)

    assert_equal(program(ROWS, jnp.int32(7)), ROWS)
    assert_equal(program(ROWS, jnp.int32(-(2**31) + 1)), ROWS)


def test_numbers_of_other_types_and_empty_arrays_may_be_among_the_arguments():
    def mixed(row: jax.Array, share: jax.Array, flag: jax.Array, nothing: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jnp.where(flag, row, -row), share * 2 + nothing.sum()

    arguments = (ROWS, jnp.array([0.5, jnp.inf, -1e30, 3.0]), jnp.array([True, False, True, False]), jnp.zeros((4, 0)))
    assert_equal(jax.jit(jax.vmap(one_by_one(mixed)))(*arguments), jax.vmap(mixed)(*arguments))
