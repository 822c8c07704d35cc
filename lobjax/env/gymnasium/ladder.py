"""The book as a person reads it: price levels with everybody's lots and one's own, and the account. As text, or as a picture."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from lobjax import clock
from lobjax.book import volume_at
from lobjax.clock import NS, Time
from lobjax.env.base import AGENT, EnvState
from lobjax.env.views import resting_lots
from lobjax.market import MarketState
from lobjax.types import Side
from lobjax.wide import LIMB, Wide


class Ladder(NamedTuple):
    """One environment's book and account. L levels a side, best first; a price of 0 where there are fewer."""

    price_ticks: Any  # int32 [2, L]
    lots: Any  # int32 [2, L]
    own_lots: Any  # int32 [2, L], of `lots`
    resting_lots: Any  # int32 [2], one's own at any price
    position: Any  # int32, lots
    cash: Wide  # ticks x lots, before fees
    time: Time  # since the opening; of snapshots, since midnight
    steps: Any  # int32
    episode_return: Any  # float32


def ladder_of(state: EnvState) -> Ladder:
    """What a state shows, on the device."""
    market: Any = state.market
    told = (state.episode_length, state.episode_return)
    if not isinstance(market, MarketState):  # snapshots: an account that never rests
        sides = jnp.stack([market.bids, market.asks])
        lots = sides[..., 1]
        price = jnp.where(lots > 0, sides[..., 0], 0)
        none = jnp.zeros((2,), jnp.int32)
        account = market.account
        return Ladder(price, lots, jnp.zeros_like(lots), none, account.position, account.cash, market.now, *told)
    price, lots = market.depth
    own = jnp.stack([volume_at(market.book, side, price[side], AGENT) for side in Side])
    resting = jnp.stack([resting_lots(market, jnp.int32(side), AGENT) for side in Side])
    cash = jax.tree.map(lambda x: x[AGENT], market.accounts.cash)
    since = clock.minus(market.now, market.opened)
    own = jnp.where(price > 0, own, 0)
    return Ladder(price, lots, own, resting, market.accounts.lots[AGENT], cash, since, *told)


def drawn(programs: Any, states: EnvState, mode: str) -> tuple[Any, ...]:
    """A frame for each of a batch of states: str (mode "ansi"), or uint8 `[height, width, 3]` ("rgb_array")."""
    ladders = jax.tree.map(np.array, jax.device_get(programs.ladder(states)))
    each = (jax.tree.map(lambda x, i=i: x[i], ladders) for i in range(len(ladders.steps)))
    if mode == "ansi":
        return tuple(text(one, programs.env) for one in each)
    from lobjax.env.gymnasium.picture import picture  # Matplotlib takes a while to import

    return tuple(picture(one, title(one, programs.env)) for one in each)


def text(ladder: Ladder, env: Any) -> str:
    """Lines of ASCII: asks above bids, best prices in the middle, then the account."""
    lines = [title(ladder, env), f"{'':5}{'price':>12}{'lots':>10}{'own':>8}"]
    for side, name in ((Side.ASK, "ask"), (Side.BID, "bid")):
        levels = [k for k, price in enumerate(ladder.price_ticks[side]) if price > 0]
        rows = [
            f"{name:5}{ladder.price_ticks[side, k]:>12,}{ladder.lots[side, k]:>10,}{ladder.own_lots[side, k]:>8,}"
            for k in levels
        ] or [f"{name:5}{'none':>12}"]
        lines += rows[::-1] if side == Side.ASK else rows
    deeper = ladder.resting_lots - ladder.own_lots.sum(axis=1)
    lines.append(
        f"position {int(ladder.position):+,} lots  cash {_whole(ladder.cash):+,} ticks x lots  "
        f"own lots deeper: bid {deeper[Side.BID]:,}, ask {deeper[Side.ASK]:,}"
    )
    return "\n".join(lines) + "\n"


def title(ladder: Ladder, env: Any) -> str:
    """The task and how far it is, in a line."""
    seconds = int(ladder.time.s) + int(ladder.time.ns) / NS
    return f"{env.name}  step {int(ladder.steps)}/{env.decisions}  {seconds:.3f} s  return {float(ladder.episode_return):+.4f}"


def _whole(wide: Wide) -> int:
    return int(wide.high) * LIMB + int(wide.low)
