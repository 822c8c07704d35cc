"""Episodes of an arena as one compiled program: who plays which seat, and who is there at all, are its arguments."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from backtest.arena.cast import Cast
from lobjax.arena import ArenaParams, ArenaState
from lobjax.book import best_prices
from lobjax.settings import key_of, settled, split_to_scan

SEAT_FIGURES = (
    "profit_ticks", "fees_ticks", "spread_captured_ticks", "maker_lots", "taker_lots", "messages", "submitted_lots",
    "drawdown_ticks", "peak_inventory_lots", "stopped",
)  # fmt: skip
SERIES = ("mid2", "spread", "depth")
COUNTS = ("refused_by_band", "refused_by_halt", "halts")


@dataclass(frozen=True)
class Played:
    """E episodes of T decisions, on the host."""

    seats: dict[str, np.ndarray]  # each figure float64 [E, A], at the end
    series: dict[
        str, np.ndarray
    ]  # mid2 (half ticks), spread (ticks; NaN where a side is empty), depth (lots): [E, T, V], of each venue
    opening: dict[str, np.ndarray]  # the same before the first decision, [E, V]
    event: np.ndarray  # int [E, T], of each decision
    counts: dict[str, np.ndarray]  # what safeguards refused, int [E, V]; empty without
    late: int  # steps that hit the bound on messages

    @property
    def count(self) -> int:
        """E."""
        return len(self.event)


@settled
def program(cast: Cast) -> Callable[[jax.Array, jax.Array, ArenaParams], dict[str, Any]]:
    """(keys [B], choice int32 [A], params) -> what `Played` is made of, compiled once for every mixture and fork."""
    return jax.jit(jax.vmap(lambda key, choice, params: _episode(cast, key, choice, params), in_axes=(0, None, None)))


@settled
def play(
    run: Callable[..., Any], choice: tuple[int, ...], params: ArenaParams, seed: int, count: int, batch: int
) -> Played:
    """Play `count` episodes with a program, at most `batch` side by side. Episode e has the same words whoever plays."""
    keys = jax.vmap(lambda episode: jax.random.fold_in(key_of(seed), episode))(jnp.arange(-(-count // batch) * batch))
    parts = [
        jax.device_get(run(keys[first : first + batch], jnp.asarray(choice, jnp.int32), params))
        for first in range(0, count, batch)
    ]
    whole = jax.tree.map(lambda *x: np.concatenate(x)[:count], *parts)
    return Played(
        {name: whole["seats"][name].astype(np.float64) for name in SEAT_FIGURES}, whole["series"], whole["opening"], whole["event"],
        whole["counts"], int(whole["late"].sum()),
    )  # fmt: skip


def without(params: ArenaParams, accounts: tuple[int, ...]) -> ArenaParams:
    """The same world with seats taken out: no word that the others or the flow draw is another."""
    away = jnp.asarray(accounts, jnp.int32) - 1
    return params.replace(seats=params.seats.replace(active=params.seats.active.at[away].set(False)))


def _episode(cast: Cast, key: jax.Array, choice: jax.Array, params: ArenaParams) -> dict[str, Any]:
    arena = cast.arena
    key_reset, key_play, key_market = jax.random.split(key, 3)
    observations, state = arena.reset(key_reset, params)
    opening = _look(state)
    carries = {
        group.name: tuple(member.begin(group.seats) for member in cast.members[group.name].values())
        for group in arena.groups
    }

    def decide(key: jax.Array, carries: Any, observations: Any, state: ArenaState, first: jax.Array) -> tuple[Any, Any]:
        after, actions = {}, {}
        for at, group in enumerate(arena.groups):
            own = jax.random.fold_in(key, at)
            seen = observations[group.name]
            found = [
                member.act(jax.random.fold_in(own, k), carry, seen, first, state, params)
                for k, (member, carry) in enumerate(
                    zip(cast.members[group.name].values(), carries[group.name], strict=True)
                )
            ]
            after[group.name] = tuple(carry for carry, _ in found)
            mine = choice[jnp.asarray(group.accounts, jnp.int32) - 1]
            actions[group.name] = jnp.stack([action for _, action in found])[mine, jnp.arange(group.seats)]
        return after, actions

    def one(carry: Any, keys: Any) -> tuple[Any, Any]:
        observations, state, carries, first = carry
        carries, actions = decide(keys[0], carries, observations, state, first)
        observations, state, _, _, _, info = arena.transition(keys[1], state, actions, params)
        seen = {"series": _look(state), "event": state.event.kind, "info": info}
        return (observations, state, carries, jnp.bool_(False)), seen

    keys = split_to_scan(key_play, arena.decisions), split_to_scan(key_market, arena.decisions)
    _, seen = jax.lax.scan(one, (observations, state, carries, jnp.bool_(True)), keys)
    last = {name: x[-1] for name, x in seen["info"].items() if not isinstance(x, dict)}
    return {
        "seats": {name: last[name] for name in SEAT_FIGURES},
        "series": seen["series"],
        "opening": opening,
        "event": seen["event"],
        "counts": {name: last[name] for name in COUNTS if name in last},
        "late": last["late"],
    }


def _look(state: ArenaState) -> dict[str, jax.Array]:
    bid, ask = jax.vmap(lambda market: jnp.stack(best_prices(market.book)))(state.markets).T
    both = (bid > 0) & (ask > 0)
    return {
        "mid2": jnp.where(bid == 0, ask, bid) + jnp.where(ask == 0, bid, ask),
        "spread": jnp.where(both, (ask - bid).astype(jnp.float32), jnp.nan),
        "depth": jnp.sum(state.markets.depth.size_lots, axis=(1, 2), dtype=jnp.int32),
    }
