"""One episode in detail: the same play, with the market sampled several times between decisions."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from lobjax import clock
from lobjax.clock import NS, Time
from lobjax.env import Environment, EnvParams, EnvState
from lobjax.env.base import AGENT
from lobjax.env.unattended import unattended
from lobjax.evaluation import Episodes, episode_keys, scalars, step_keys
from lobjax.market import MarketState, Orders
from lobjax.market.tape import Tape
from lobjax.players import Player, first_memory
from lobjax.playing import alone, begin, deciding, play, sending, turn
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
    infos = {name: np.asarray(value)[:length] for name, value in infos.items()}
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
    """The opening; of each decision `[T]` the info, what was seen in the parts of its step `[T, P, ...]`, and whether it was the last."""
    key_open, key_steps, key_acts = episode_keys(episodes, index[None])
    one = turn(
        deciding(env, params, player),
        sending(env, params, advance=partial(_in_parts, until), every=alone),
        partial(step_keys, key_steps, key_acts),
        record=lambda made: jax.tree.map(lambda x: x[0], (scalars(made.info), made.seen, made.done)),
    )
    start = index[None] if episodes.starts else None
    opening = begin(env, params, key_open, first_memory(player, 1), start, every=alone)
    _, (infos, seen, over) = play(one, opening, jnp.arange(env.decisions, dtype=jnp.int32))
    market = jax.tree.map(lambda x: x[0], opening.state.market)
    return _Sample(market, jnp.int32(0)), infos, seen, over


def _in_parts(
    parts: Time, env: Environment, key: jax.Array, state: EnvState, orders: Orders, params: EnvParams
) -> tuple[MarketState, _Sample]:
    """As `Environment.advance`, to the ends of all parts `[P]` of a step, and the market after each of them."""
    count = parts.s.shape[0]
    until = clock.plus(jax.tree.map(lambda x: jnp.broadcast_to(x, (count,)), state.market.now), parts)
    part = jnp.arange(count, dtype=jnp.int32)
    keys = jax.vmap(lambda k: jax.random.fold_in(key, k))(part) if count > 1 else key[None]
    market: Any = env.market
    last, seen = unattended(market, keys, state.market, orders, params.market, until=until, record=_sample)
    return last.replace(tape=_whole(seen.market.tape)), seen


def _sample(before: MarketState, after: MarketState) -> _Sample:
    return _Sample(after, jnp.sum(after.tape.traded_lots, dtype=jnp.int32))


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


def _parts(step_time: Time, parts: int) -> Time:
    """The ends of `parts` equal parts of a step, from its beginning: int32 `[parts]`."""
    total = int(step_time.s) * NS + int(step_time.ns)
    ends = [total * (k + 1) // parts for k in range(parts)]
    return Time(*(jnp.asarray(words, jnp.int32) for words in zip(*(divmod(end, NS) for end in ends), strict=True)))
