"""What an environment keeps on the device: no more for more steps, and a recorded day once for all environments."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.book import Book
from lobjax.flow import RecordedFlow
from lobjax.flow.recorded import to_device
from lobjax.kinds import Kind
from lobjax.tasks import ExecutionConfig
from lobjax.types import Message
from tests.compiling import quick_jit
from tests.env.environments import simulated

ENVS = 16


def episode(env, params, steps: int):
    """A program that plays so many steps in all environments and gives the sum of rewards."""

    def play(key, state, params):
        def one(number, carry):
            state, total = carry
            keys = jax.random.split(jax.random.fold_in(key, number), ENVS)
            action = jax.vmap(env.action_space.sample)(keys)
            _, state, reward, *_ = jax.vmap(env.transition, in_axes=(0, 0, 0, None))(keys, state, action, params)
            return state, total + reward

        return jax.lax.fori_loop(0, steps, one, (state, jnp.zeros(ENVS)))

    keys = jax.random.split(jax.random.key(0), ENVS)
    _, state = jax.eval_shape(jax.vmap(env.reset, in_axes=(0, None)), keys, params)
    # LLVM comes after the memory is laid out.
    return quick_jit(play).lower(jax.random.key(0), state, params).compile().memory_analysis()


@pytest.mark.parametrize("engine", ["xla", "host"])
def test_memory_does_not_grow_with_the_number_of_steps(engine):
    env = simulated("execution", engine=engine)
    few, many = (episode(env, env.default_params, steps) for steps in (4, 400))
    assert many.temp_size_in_bytes == few.temp_size_in_bytes > 0
    assert many.output_size_in_bytes == few.output_size_in_bytes


def recorded(env, rows: int):
    """The parameters of `env` on a made-up day of so many messages."""
    capacity, at = env.market.capacity, np.arange(rows)
    side, price = at % 2, 1000 + at % 2
    messages = Message(np.full(rows, Kind.LIMIT), side, price, np.ones_like(at), at + 1, np.zeros_like(at))
    blank = jnp.zeros((1, 2, capacity), jnp.int32)
    flow = to_device(messages, at, 0 * at, np.array([0]), np.array([0]), Book(blank, blank, blank, blank))
    return env.default_params.replace(market=env.default_params.market.replace(flow=flow))


@pytest.mark.parametrize("engine", ["xla", "host"])
def test_a_recorded_day_is_on_the_device_once(engine):
    simulated_env = simulated(ExecutionConfig(lots=4, decisions=4, step_s=4.0), engine=engine)
    market = replace(simulated_env.market, flow=RecordedFlow())
    env = replace(simulated_env, market=market, warm_up_steps=0)
    rows = (1_000, 100_000)
    short, long = (episode(env, recorded(env, n), 4) for n in rows)
    leaves = 8  # six fields and a time of two numbers, four bytes each
    assert long.argument_size_in_bytes - short.argument_size_in_bytes == (rows[1] - rows[0]) * leaves * 4
    assert long.temp_size_in_bytes - short.temp_size_in_bytes < rows[1] * 4  # not even one field of it once more
