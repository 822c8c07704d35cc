"""Advance and judge, one by one and side by side: every way to play a step comes to the same; and a market in which nobody decides."""

from dataclasses import replace
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax import playing
from lobjax.env.unattended import unattended
from lobjax.market import Orders
from tests.compiling import quick_jit
from tests.env.environments import TASKS, simulated
from tests.snapshot.days import day, environment

ENVS = 3


@pytest.fixture(scope="module", params=[*TASKS, "snapshot"])
def env(request, tmp_path_factory):
    if request.param == "snapshot":
        return environment(tmp_path_factory.mktemp("day") / "day.npz", day(60), until="09:30:59")
    return simulated(request.param)


@cache
def programs(env):
    """(reset and action; transition; play; advance, then judge, which is what `play` is said to be), of a batch."""

    def begin(keys):
        observation, state = jax.vmap(env.reset, in_axes=(0, None))(keys, env.default_params)
        return observation, state, jax.vmap(env.action_space.sample)(keys)

    def decided(state, action):
        task, orders = env.task.act(state.task, state.market, action, env.default_params.task)
        return state.replace(task=task), orders

    def played(key, state, action):
        return env.play(key, *decided(state, action), env.default_params)

    def apart(key, state, action):
        state, orders = decided(state, action)
        return env.judge(state, env.advance(key, state, orders))  # at the default numbers

    def idle(key, state, action):
        return env.advance(key, state, env.no_orders(state))

    ways = (env.transition, played, apart, idle)
    return quick_jit(begin), *(quick_jit(jax.vmap(way)) for way in ways)


def same(ours, theirs):
    ours, theirs = jax.tree.leaves(ours), jax.tree.leaves(theirs)
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_transition_is_the_market_advanced_and_judged(env):
    begin, transition, played, apart, _ = programs(env)
    keys = jax.random.split(jax.random.key(0), ENVS)
    _, state, action = begin(keys)
    for step in range(2):
        keys = jax.random.split(jax.random.key(step), ENVS)
        wanted = transition(keys, state, action)
        same(played(keys, state, action), wanted)
        same(apart(keys, state, action), wanted)
        state = wanted[1]
    assert np.asarray(state.episode_length).tolist() == [2] * ENVS


def test_no_orders_are_what_the_task_sends_and_send_nothing(env):
    """Of the shapes and types of a decision's, so that both share a program; and nobody trades by them."""
    begin, *_, idle = programs(env)
    keys = jax.random.split(jax.random.key(1), ENVS)
    _, state, action = begin(keys)
    one = jax.tree.map(lambda x: x[0], (state, action))
    _, sent = env.task.act(one[0].task, one[0].market, one[1], env.default_params.task)
    nothing = env.no_orders(one[0])
    assert jax.tree.structure(nothing) == jax.tree.structure(sent)
    for ours, theirs in zip(jax.tree.leaves(nothing), jax.tree.leaves(sent), strict=True):
        assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype) and not ours.any()
    market = idle(keys, state, action)
    later = np.asarray(market.now.s) + np.asarray(market.now.ns) / 1e9
    assert (later > np.asarray(state.market.now.s) + np.asarray(state.market.now.ns) / 1e9).all()
    if env.name == "snapshot":
        assert not np.asarray(market.account.position).any() and not np.asarray(market.traded_lots).any()
    else:
        assert not np.asarray(market.accounts.lots[:, 1]).any()
        assert np.asarray(market.tape.messages).any(), "the flow goes on"


@pytest.fixture(scope="module")
def market():
    """A market, its state at an opening, orders of a last decision (quotes, and what the venue closes with), and no orders."""
    env = simulated("market_making")
    begin, *_ = programs(env)
    _, state, action = begin(jax.random.split(jax.random.key(3), ENVS))
    state, action = jax.tree.map(lambda x: x[0], (state, action))
    task = state.task.replace(step=jnp.int32(env.decisions - 1))
    _, orders = env.task.act(task, state.market, action, env.default_params.task)
    assert orders.sent.kind.any() and orders.closing.kind.any()
    return env, state, orders, env.no_orders(state)


def test_unattended_sends_at_the_beginning_and_closes_at_the_end(market):
    """Three steps of a market, by hand and by the loop, until moments and for lengths."""
    env, state, orders, nothing = market
    params, keys = env.default_params.market, jax.random.split(jax.random.key(4), 3)
    lasts = jax.tree.map(lambda x: jnp.stack([x, x, x]), env.default_params.step_time)
    step = quick_jit(env.advance)
    by_hand, now, ends, lots = [], state, [], []
    for key, part in zip(
        keys, (Orders(orders.sent, nothing.closing), nothing, Orders(nothing.sent, orders.closing)), strict=True
    ):
        now = replace(now, market=step(key, now, part, env.default_params))
        by_hand.append(now.market)
        ends.append(now.market.now)
        lots.append(int(now.market.tape.traded_lots.sum()))

    def record(before, after, number):
        return {"lots": after.tape.traded_lots.sum(), "since": before.now, "number": number}

    numbers = jnp.arange(3, dtype=jnp.int32) * 10
    for times in ({"lasts": lasts}, {"until": jax.tree.map(lambda *x: jnp.stack(x), *ends)}):
        last, seen = quick_jit(
            lambda keys, times: unattended(
                env.market, keys, state.market, orders, params, record=record, also=(numbers,), **times
            )
        )(keys, times)
        same(last, by_hand[-1])
        assert seen["lots"].tolist() == lots and seen["number"].tolist() == [0, 10, 20]
        assert seen["since"].s.tolist() == [int(t.s) for t in (state.market.now, *ends[:2])]


def test_unattended_wants_moments_or_lengths(market):
    env, state, _, nothing = market
    keys = jax.random.split(jax.random.key(4), 3)
    for times in ({}, {"until": env.default_params.step_time, "lasts": env.default_params.step_time}):
        with pytest.raises(ValueError, match="either until when each step goes or how long it lasts"):
            unattended(env.market, keys, state.market, nothing, env.default_params.market, **times)


def by_two(rewards, done_after):
    """A game without a market: the reward counts decisions, an episode ends after so many; observation and state are the count."""

    def step(key, state, action, params):
        state = state + 1
        done = state >= done_after
        return state.astype(jnp.float32)[None], state, rewards * action, done, jnp.bool_(False), {"steps": state}

    return step


def test_the_loop_restarts_or_goes_on_counts_endings_and_keeps():
    """Three decisions in episodes of two, side by side with episodes that end at once: what is first, what ended, what is kept."""
    step = by_two(jnp.float32(0.5), jnp.int32(2))
    zero = jnp.zeros((2,), jnp.int32)
    opening = playing.Standing((), jnp.zeros((2, 1)), zero, jnp.ones(2, bool), zero, jnp.zeros((2,)))

    def decide(keys, now):
        return now.memory, jnp.ones((2,)), now.first

    def run(restart):
        one = playing.turn(
            decide, playing.acting(step, None), lambda time: (None, jnp.zeros((2,), jnp.int32)), restart=restart,
            keep=lambda made: made.before.kept + made.reward, record=lambda made: (made.said, made.done, made.before.observation[:, 0]),
        )  # fmt: skip
        return playing.play(one, opening, jnp.arange(3))

    last, (first, done, observed) = run(None)
    assert first[:, 0].tolist() == [True, False, False] and done[:, 0].tolist() == [False, True, True]
    assert observed[:, 0].tolist() == [0, 1, 2] and last.ended.tolist() == [2, 2] and last.kept.tolist() == [1.5, 1.5]

    def again(made):
        return jnp.where(made.done[:, None], 0, made.observation), jnp.where(made.done, 0, made.state)

    last, (first, done, observed) = run(again)
    assert first[:, 0].tolist() == [True, False, True] and done[:, 0].tolist() == [False, True, False]
    assert observed[:, 0].tolist() == [0, 1, 0] and last.ended.tolist() == [1, 1] and last.state.tolist() == [1, 1]
