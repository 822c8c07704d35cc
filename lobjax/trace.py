"""One episode in detail: the same play, with the market sampled several times between decisions."""

from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from lobjax import clock
from lobjax.clock import NS, Time
from lobjax.env import Environment, EnvParams, EnvState
from lobjax.env.base import AGENT, market_counts
from lobjax.evaluation import Episodes, Player, decider, episode_keys, first_memory
from lobjax.kinds import Kind
from lobjax.market import MarketState, Orders
from lobjax.market.tape import Tape
from lobjax.settings import settled
from lobjax.wide import Wide, to_int


class Trace(NamedTuple):
    """A market and the agent's account at K moments, from arrival to the end of the episode; NumPy. Lots held are net, bought positive."""

    time_s: np.ndarray  # float64 [K], since arrival
    opened_s: np.ndarray  # float64 scalar, the clock at arrival (seconds after midnight, where the flow is recorded)
    decision: np.ndarray  # bool [K], moments at which a decision was made
    price_ticks: np.ndarray  # int32 [K, 2, N], the book, bids first; where size is 0 nothing rests
    size_lots: np.ndarray  # int32 [K, 2, N]
    owner: np.ndarray  # int32 [K, 2, N]
    lots: np.ndarray  # int32 [K], net lots that the agent holds
    maker_lots: np.ndarray  # int32 [K], lots it has traded as the resting side
    taker_lots: np.ndarray  # int32 [K], and as the incoming side
    cash_ticks: np.ndarray  # int64 [K], ticks x lots received, before fees
    volume_lots: np.ndarray  # int32 [K], lots traded by everybody since the moment before


class _Sample(NamedTuple):
    market: MarketState
    volume: jax.Array


@settled
def trace_episode(
    env: Environment, params: EnvParams, player: Player, episodes: Episodes, index: int, samples: int = 1
) -> tuple[dict[str, np.ndarray], Trace]:
    """Play episode `index` alone, with `samples` of the market a decision. Returns scalars of `info` by decision `[T]`, and the trace.

    With one sample it is the episode that `lobjax.evaluation` plays. With more, each part of a step draws random words of its own: a
    simulated market then goes another way from the same opening, while a recorded one, which draws none, does exactly the same.
    """
    if samples > 1 and env.market.step_messages:
        raise ValueError("a step that is counted in messages has no parts by the clock; take one sample")
    until = _parts(params.step_time, samples)
    play = jax.jit(lambda params, index: _play(env, params, player, episodes, index, until))
    opening, infos, seen, over = play(params, jnp.int32(index))
    length = int(np.argmax(np.append(np.asarray(over), True))) + 1  # decisions until the episode ended
    length = min(length, env.decisions)
    infos = {name: np.asarray(value)[:length] for name, value in infos.items() if value.ndim == 1}
    seen = jax.tree.map(lambda x: np.asarray(x)[:length].reshape(-1, *x.shape[2:]), seen)
    sampled = jax.tree.map(lambda a, b: np.concatenate([np.asarray(a)[None], b]), opening, seen)
    return infos, _trace(sampled, samples)


def _trace(sampled: _Sample, samples: int) -> Trace:
    market, account = sampled.market, sampled.market.accounts
    cash = to_int(Wide(account.cash.high[:, AGENT], account.cash.low[:, AGENT]))
    seconds = np.asarray(market.now.s + market.now.ns / NS)
    return Trace(
        time_s=seconds - seconds[0],
        opened_s=seconds[0],
        decision=np.append(np.arange(len(seconds) - 1) % samples == 0, False),  # none at the end
        price_ticks=np.asarray(market.book.price),
        size_lots=np.asarray(market.book.size),
        owner=np.asarray(market.book.owner),
        lots=np.asarray(account.lots[:, AGENT]),
        maker_lots=np.asarray(account.maker_lots[:, AGENT]),
        taker_lots=np.asarray(account.taker_lots[:, AGENT]),
        cash_ticks=cash,
        volume_lots=np.asarray(sampled.volume),
    )


def _play(env: Environment, params: EnvParams, player: Player, episodes: Episodes, index: jax.Array, until: Time):
    key_open, key_steps, key_acts = (key[0] for key in episode_keys(episodes, index[None]))
    observation, state = env.reset(key_open, params, index if episodes.starts else None)
    decide = decider(env, params, player)

    def one(carry, step: jax.Array):
        memory, observation, state = carry
        batch = jax.tree.map(lambda x: x[None], (jax.random.fold_in(key_acts, step), observation, step == 0, state))
        key, observations, first, states = batch
        memory, task, orders = decide(key, memory, observations, first, states)
        task, orders = jax.tree.map(lambda x: x[0], (task, orders))
        state = replace(state, task=task)
        seen = _sampled(env, jax.random.fold_in(key_steps, step), state.market, orders, params, until)
        market = jax.tree.map(lambda x: x[-1], seen.market).replace(tape=_whole(seen.market.tape))
        observation, state, over, info = _judge(env, state, market, params)
        return (memory, observation, state), (info, seen, over)

    opening = _Sample(state.market, jnp.int32(0))
    carry = (first_memory(player, 1), observation, state)
    _, (infos, seen, over) = jax.lax.scan(one, carry, jnp.arange(env.decisions, dtype=jnp.int32))
    return opening, infos, seen, over


def _sampled(
    env: Environment, key: jax.Array, market: MarketState, orders: Orders, params: EnvParams, parts: Time
) -> _Sample:
    """The market after each part `[P]` of a step: orders are sent with the first, closing messages come with the last."""
    n = parts.s.shape[0]
    part = jnp.arange(n, dtype=jnp.int32)
    until = clock.plus(jax.tree.map(lambda x: jnp.broadcast_to(x, (n,)), market.now), parts)
    keys = jax.vmap(lambda k: jax.random.fold_in(key, k))(part) if n > 1 else key[None]

    def one(market: MarketState, now):
        part, key, until = now
        sent = orders.sent._replace(kind=jnp.where(part == 0, orders.sent.kind, Kind.NOOP))
        closing = orders.closing._replace(kind=jnp.where(part == n - 1, orders.closing.kind, Kind.NOOP))
        market = env.market.step(key, market, Orders(sent, closing), until, params.market)
        return market, _Sample(market, jnp.sum(market.tape.traded_lots, dtype=jnp.int32))

    return jax.lax.scan(one, market, (part, keys, until))[1]


def _whole(tapes: Tape) -> Tape:
    """The tape of a step from those of its parts `[P]`."""
    total = jax.tree.map(lambda x: x.sum(0, dtype=x.dtype), tapes)
    last = jnp.max(
        jnp.where(tapes.last_price_ticks > 0, jnp.arange(1, tapes.messages.shape[0] + 1, dtype=jnp.int32), 0)
    )
    price = tapes.last_price_ticks[jnp.maximum(last - 1, 0)]
    flow_mid2 = tapes.flow_mid2_ticks[jax.lax.argmax(tapes.flow_mid2_ticks != 0, 0, jnp.int32)]
    return total.replace(
        last_price_ticks=price, opening_mid2_ticks=tapes.opening_mid2_ticks[0], flow_mid2_ticks=flow_mid2
    )


def _judge(env: Environment, state: EnvState, market: MarketState, params: EnvParams):
    """What `Environment.play` does once the market has moved."""
    task, reward, terminated, truncated, metrics = env.task.judge(state.task, state.market, market, params.task)
    state = EnvState(market, task, state.episode_return + reward, state.episode_length + 1)
    info = {**metrics, **market_counts(market), "episode_return": state.episode_return}
    return env.task.observe(task, market, params.task), state, terminated | truncated, info


def _parts(step_time: Time, parts: int) -> Time:
    """The ends of `parts` equal parts of a step, from its beginning: int32 `[parts]`."""
    total = int(step_time.s) * NS + int(step_time.ns)
    ends = [total * (k + 1) // parts for k in range(parts)]
    return Time(*(jnp.asarray(words, jnp.int32) for words in zip(*(divmod(end, NS) for end in ends), strict=True)))
