"""What comes in at a public boundary has the shapes and types that are written there, or tracing ends; and one trace serves many calls.

Nothing here is compiled but the pure step: shapes are known as soon as a function is traced.
"""

from dataclasses import replace

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.book import empty_book, listing, step
from lobjax.clock import Time, never
from lobjax.engine import run_streams
from lobjax.engine.random_streams import random_streams
from lobjax.kinds import Kind
from lobjax.learn import learner as learners
from lobjax.learn.config import config_from
from lobjax.market import Orders
from lobjax.nets import MLPConfig, make_net
from lobjax.nets.statistics import unit_statistics
from lobjax.policy import LoadedPolicy, PolicyConfig, make_head
from lobjax.types import Message
from tests.env.environments import simulated
from tests.learn.probes import TASKS

KEY = jax.random.key(0)
LIMIT = Message(*map(jnp.int32, (Kind.LIMIT, 0, 100, 3, 1, 1)))
MANY = Message(*(jnp.stack([field] * 4) for field in LIMIT))


def refuses(said: str, function, *given) -> None:
    with pytest.raises(AssertionError, match=said):
        jax.eval_shape(function, *given)


def test_a_book_takes_one_message_of_integers():
    book = empty_book(4)
    refuses("rank 1", step, book, MANY)
    refuses("type float32", step, book, LIMIT._replace(price=jnp.float32(100)))
    refuses(r"shape \(3, 2, 4\)", step, jax.tree.map(lambda x: jnp.stack([x] * 3), book), LIMIT)
    refuses(r"shape \(2, 3\)", step, book.replace(price=book.price[:, :3]), LIMIT)


def test_a_market_takes_rows_of_messages_times_and_its_own_accounts():
    env = simulated("execution", engine="xla")
    market, params = env.market, env.default_params.market
    state = jax.eval_shape(market.open, KEY, params)
    orders, until = Orders(MANY, MANY), never()
    after = jax.eval_shape(market.step, KEY, state, orders, until, params)
    chex.assert_trees_all_equal_shapes_and_dtypes(after, state)
    refuses("rank 0", market.step, KEY, state, Orders(LIMIT, MANY), until, params)
    refuses(
        "not equal|different", market.step, KEY, state, Orders(MANY._replace(size=MANY.size[:2]), MANY), until, params
    )
    refuses(
        "type int16",
        market.step,
        KEY,
        state,
        Orders(MANY, MANY._replace(size=MANY.size.astype(jnp.int16))),
        until,
        params,
    )
    refuses(r"shape \(2,\)", market.step, KEY, state, orders, Time(*(jnp.zeros(2, jnp.int32),) * 2), params)
    refuses(r"expected \(4,?\)", replace(market, accounts=3).step, KEY, state, orders, until, params)


@pytest.mark.parametrize(("task", "actions"), [("execution", (7, jnp.float32)), ("market_making", (2, jnp.int32))])
def test_an_environment_takes_one_action_of_its_space(task, actions):
    env = simulated(task, engine="xla")
    size, dtype = actions
    _, state = jax.eval_shape(env.reset, KEY)
    good = jnp.zeros(size, dtype)
    chex.assert_trees_all_equal_shapes_and_dtypes(env.action_space.sample(KEY), good)
    observation, after, *_ = jax.eval_shape(env.transition, KEY, state, good)
    chex.assert_shape(observation, (env.observation_size,))
    chex.assert_trees_all_equal_shapes_and_dtypes(after, state)
    for wrong in (good[:-1], good[0], jnp.stack([good] * 3)):
        refuses("an action in", env.transition, KEY, state, wrong)
    if dtype == jnp.int32:
        refuses("type float32", env.transition, KEY, state, good.astype(jnp.float32))
    several = jax.eval_shape(jax.vmap(env.reset), jax.random.split(KEY, 3))[1]
    refuses(r"shape \(3,\)", env.play, KEY, several, Orders(MANY, MANY), env.default_params)
    refuses(r"shape \(3,\)", env.reset, KEY, None, jnp.arange(3))
    refuses("type float32", env.reset, KEY, None, jnp.float32(1))


def test_a_policy_takes_a_batch_of_observations_and_which_begin():
    env = simulated("execution", engine="xla")
    net = MLPConfig(hidden=(8,))
    config = PolicyConfig(task="execution", actions=env.actions, observation_size=5, space=env.action_space, net=net)
    head = make_head(config.space, None)
    blank = jax.eval_shape(lambda: {"net": make_net(net, 5, head).init(KEY), "head": head.init()})
    policy = LoadedPolicy(config, blank, unit_statistics(5))
    reset = jnp.zeros(3, bool)

    def act(params, observation, reset):
        return replace(policy, params=params).act(KEY, policy.initial_carry(3), observation, reset)[1]

    assert jax.eval_shape(act, blank, jnp.zeros((3, 5)), reset).shape == (3, 7)
    refuses(r"shape \(3, 4\)", act, blank, jnp.zeros((3, 4)), reset)
    refuses(r"shape \(5,\)", act, blank, jnp.zeros(5), reset)
    refuses(r"shape \(3,\) but expected \(2,?\)", act, blank, jnp.zeros((2, 5)), reset)
    refuses("type int32", act, blank, jnp.zeros((3, 5)), reset.astype(jnp.int32))


def test_a_learner_takes_the_state_of_its_environments():
    config = config_from(
        {"env": {"probe": "recall"}, "n_envs": 4, "rollout_length": 8, "total_steps": 320}, TASKS.env_config
    )
    env = TASKS.make(config.env)
    learner = learners.assemble(config, env)
    update = learner.make_update(None)
    state = jax.eval_shape(learner.init, KEY, env.default_params)
    chex.assert_trees_all_equal_shapes_and_dtypes(jax.eval_shape(update, state, env.default_params)[0], state)
    local = state.local
    for name, said in (("observation", "shape"), ("reset", "shape"), ("index", "shape")):
        leaf = getattr(local, name)
        short = jax.ShapeDtypeStruct((*leaf.shape[:-1], leaf.shape[-1] - 1), leaf.dtype)
        refuses(said, update, replace(state, local=replace(local, **{name: short})), env.default_params)
    halves = jax.ShapeDtypeStruct(local.observation.shape, jnp.float16)
    refuses("type float16", update, replace(state, local=replace(local, observation=halves)), env.default_params)


class Variants(chex.TestCase):
    """The pure step is the reference, compiled or not, and wherever its arguments lie."""

    @chex.variants(with_jit=True, without_jit=True, with_device=True, without_device=True)
    def test_the_step_is_the_reference(self):
        messages = random_streams(3, 1, 24)
        expected = run_streams(messages, engine="reference", capacity=8)
        play, book, traded = self.variant(chex.assert_max_traces(step, n=1)), empty_book(8), []
        for at in range(24):
            book, outcome = play(book, Message(*(np.int32(field[0, at]) for field in messages)))
            traded.append(int(outcome.traded))
        bids, asks = (np.asarray(side) for side in listing(book))
        np.testing.assert_array_equal(bids, expected.bids[0])
        np.testing.assert_array_equal(asks, expected.asks[0])
        assert traded == expected.traded[0].tolist()
