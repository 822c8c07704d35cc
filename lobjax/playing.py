"""The loop in which somebody plays: decide, move, judge, go on or begin anew, record. B environments side by side, one compiled program.

    who plays                                   decides          moves       an episode that ended   kept, recorded
    evaluations, backtests, execution paper     `deciding`       `sending`   goes on, or stands      its final `info`; what is watched
    one episode in detail (`lobjax.trace`)      `deciding`       `sending`   goes on                 the market in parts of a step
    fills measured (`strategies.measure`)       `deciding`       `sending`   goes on                 nothing
    speed of environments (`bench.speed`)       `at_random`      `acting`    as `env.step` does      sums of everything
    rollouts, Flax's and torch's (`learn`)      the network      `acting`    starts of a bank        the trajectory

Torch cannot be called within a compiled loop: there `turn`, the body of the loop, is a program of its own. A market in which nobody
decides is passed through by `lobjax.env.unattended`, and `market_alone` does so for an environment's episodes.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp

from lobjax.clock import Time
from lobjax.env import Environment, EnvParams
from lobjax.env.base import Step
from lobjax.env.unattended import Record, unattended
from lobjax.players import Player, Policy, Strategy, first_memory, is_policy
from lobjax.settings import settled, split_each, split_to_scan, threefry


class Standing(NamedTuple):
    """Where environments and their player stand before a decision; leaves lead with [B], but for `kept`."""

    memory: Any  # the player's
    observation: jax.Array  # f32[B, D]
    state: Any
    first: jax.Array  # bool[B]: the observation is an episode's first
    ended: jax.Array  # int32[B]: episodes that have ended
    kept: Any = ()  # what `keep` makes of all decisions so far


class Turn(NamedTuple):
    """One decision and what came of it: all that `Environment.step` returns, before a new episode begins."""

    before: Standing
    memory: Any  # the player's, after it
    said: Any  # what the player tells of its decision
    observation: jax.Array
    state: Any
    reward: jax.Array
    terminated: jax.Array
    truncated: jax.Array
    info: dict[str, jax.Array]
    seen: Any  # what the move saw on its way

    @property
    def done(self) -> jax.Array:
        """bool[B]: an episode ended, however."""
        return self.terminated | self.truncated


Decide = Callable[[Any, Standing], tuple[Any, Any, Any]]  # (keys, standing) -> memory, what is done, what is told of it
Move = Callable[[Any, Standing, Any], tuple[Step, Any]]  # (keys, standing, what is done) -> a batched step, what it saw
Restart = Callable[[Turn], tuple[jax.Array, Any]]  # observation and state to go on with
Keys = Callable[[Any], tuple[Any, Any]]  # of the time, what `scan` goes over -> keys of the decision and of the move


def turn(
    decide: Decide,
    move: Move,
    keys: Keys,
    *,
    restart: Restart | None = None,
    keep: Callable[[Turn], Any] = lambda turn: turn.before.kept,
    record: Callable[[Turn], Any] = lambda turn: (),
) -> Callable[[Standing, Any], tuple[Standing, Any]]:
    """The body of the loop: (standing, time) -> (standing, record). `restart` None: an episode that ended goes on."""

    def one(now: Standing, time: Any) -> tuple[Standing, Any]:
        of_decision, of_move = keys(time)
        memory, done, said = decide(of_decision, now)
        step, seen = move(of_move, now, done)
        made = Turn(now, memory, said, *step, seen)
        observation, state = (made.observation, made.state) if restart is None else restart(made)
        first = jnp.zeros_like(now.first) if restart is None else made.done
        ended = now.ended + made.done.astype(jnp.int32)
        return Standing(memory, observation, state, first, ended, keep(made)), record(made)

    return one


def play(one: Callable[[Standing, Any], tuple[Standing, Any]], standing: Standing, times: Any) -> tuple[Standing, Any]:
    """A `turn` for each of `times`, leaves [T, ...]: the last standing and the records, stacked [T, ...]."""
    return jax.lax.scan(one, standing, times)


Every = Callable[[Callable[..., Any]], Callable[..., Any]]  # of one environment -> of a batch: `jax.vmap`, or `alone`


def alone(one: Callable[..., Any]) -> Callable[..., Any]:
    """`one` for a batch of a single environment, as `vmap` makes it, in a smaller program."""

    def only(*arguments: Any) -> Any:
        made = one(*jax.tree.map(lambda x: x[0], arguments))
        return jax.tree.map(lambda x: jnp.asarray(x)[None], made)

    return only


def begin(
    env: Any, params: Any, keys: jax.Array, memory: Any, start: jax.Array | None = None, *, every: Every = jax.vmap
) -> Standing:
    """B environments, and a player with `memory`, at the start of episodes drawn by `keys` [B], or of those numbered `start` int32[B]."""
    n = keys.shape[0]
    observation, state = every(lambda key, start: env.reset(key, params, start))(keys, start)
    return Standing(memory, observation, state, jnp.ones((n,), bool), jnp.zeros((n,), jnp.int32))


def deciding(env: Environment, params: EnvParams, player: Player) -> Decide:
    """What a player does: the task's states and orders, for `sending`."""
    if is_policy(player):
        policy = cast(Policy, player)
        decode = jax.vmap(env.task.act, in_axes=(0, 0, 0, None))

        def by_policy(keys: Any, now: Standing) -> tuple[Any, Any, Any]:
            memory, action = policy.act(keys[0], now.memory, now.observation, now.first)
            return memory, decode(now.state.task, now.state.market, action, params.task), ()

        return by_policy
    rule = cast(Strategy, player)

    def by_rule(keys: Any, now: Standing) -> tuple[Any, Any, Any]:
        return now.memory, jax.vmap(rule.decide, in_axes=(None, 0, None))(env, now.state, params), ()

    return by_rule


def at_random(env: Any) -> Decide:
    """Actions drawn from the action space, for `acting`."""
    sample = jax.vmap(env.action_space.sample)
    return lambda keys, now: (now.memory, sample(keys), ())


def acting(step: Callable[..., Any], params: Any) -> Move:
    """Actions [B, ...] go through `step`: an environment's `transition`, or its `step`, which begins anew where an episode ends."""
    every = jax.vmap(step, in_axes=(0, 0, 0, None))
    return lambda keys, now, action: (every(keys, now.state, action, params), ())


def _straight(env: Environment, key: jax.Array, state: Any, orders: Any, params: EnvParams) -> tuple[Any, Any]:
    return env.advance(key, state, orders, params), ()


def sending(
    env: Environment,
    params: EnvParams,
    *,
    stops: bool = False,
    advance: Callable[..., Any] = _straight,
    every: Every = jax.vmap,
) -> Move:
    """What `deciding` gives is sent, and the task judges where the market then is.

    `stops`: the market stands still where an episode has ended. `advance(env, key, state, orders, params)` moves one environment's market
    and returns it with what it saw.
    """

    def one(key: jax.Array, state: Any, task: Any, orders: Any, lasts: Time) -> tuple[Any, Any]:
        state = replace(state, task=task)
        market, seen = advance(env, key, state, orders, replace(params, step_time=lasts))
        return env.judge(state, market, params), seen

    def move(keys: Any, now: Standing, done: Any) -> tuple[Step, Any]:
        task, orders = done
        lasts = jax.tree.map(lambda time: jnp.where((now.ended > 0) & stops, 0, time), params.step_time)
        return every(one)(keys, now.state, task, orders, lasts)

    return move


def market_alone(env: Environment, params: EnvParams, keys: jax.Array, record: Record) -> tuple[Any, Any, Any]:
    """Episodes without the agent, one for each of `keys` [n]: the markets at their openings and at their ends, and what
    `record(before, after)` saw of each step, [n, decisions, ...].
    """

    def episode(key: jax.Array) -> tuple[Any, Any, Any]:
        key_open, key_steps = jax.random.split(threefry(key))
        _, state = env.reset(key_open, params)
        words = split_to_scan(key_steps, env.decisions)
        lasts = jax.tree.map(lambda time: jnp.broadcast_to(time, (env.decisions,)), params.step_time)
        orders = env.no_orders(state, params)
        market, seen = unattended(
            cast(Any, env.market), words, state.market, orders, params.market, lasts=lasts, record=record
        )
        return state.market, market, seen

    return jax.vmap(episode)(keys)


@settled
def to_the_end(env: Environment, params: EnvParams, player: Player, keys: jax.Array) -> Any:
    """States [n] at the end of the episodes that a player plays, one for each of `keys` [n], which the market alone draws from."""
    key_open, key_steps = split_each(threefry(keys))
    words = jnp.swapaxes(jax.vmap(partial(split_to_scan, count=env.decisions))(key_steps), 0, 1)
    one = turn(deciding(env, params, player), sending(env, params), lambda words: (None, words))
    return play(one, begin(env, params, key_open, first_memory(player, keys.shape[0])), words)[0].state
