"""An arena to look at: one episode decision by decision, each with the books, the last trades and every seat's position, as text."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lobjax.arena.environment import Arena
from lobjax.arena.events import Event
from lobjax.arena.names import agent_names
from lobjax.arena.playing import Player, decide
from lobjax.arena.state import ArenaState
from lobjax.book import volume_at
from lobjax.settings import key_of, settled
from lobjax.types import Side

_TRADES = 6  # of the last decisions with trades, a venue


@dataclass(frozen=True)
class Trades:
    """What was traded at a venue in the step after one decision."""

    decision: int
    bought_lots: int  # by takers
    sold_lots: int
    last_price_ticks: int


@dataclass(frozen=True)
class Frame:
    """After `decision` decisions (0: the opening). Arrays on the host."""

    decision: int
    decisions: int
    event: Event
    prices: np.ndarray  # int [V, 2, L], best first; 0 for none
    lots: np.ndarray  # int [V, 2, L]
    seats_lots: np.ndarray  # int [V, 2, L], of those, the seats'
    halted: np.ndarray  # int [V], decisions that a halt goes on for
    trades: tuple[tuple[Trades, ...], ...]  # of each venue, the newest first
    position: np.ndarray  # int [V, A]
    profit: np.ndarray  # float [A], ticks x lots
    status: tuple[str, ...]  # of each seat: plays, waits, stopped or over


@settled
def frames(arena: Arena, players: Mapping[str, Player], seed: int, params: Any = None) -> Iterator[Frame]:
    """One episode, opening first."""
    params = arena.default_params if params is None else params
    reset = jax.jit(lambda key: _begun(arena, key, params))
    step = jax.jit(lambda key, state, observations: _decided(arena, players, key, state, observations, params))
    key_reset, key_steps = jax.random.split(key_of(seed))
    observations, state, shown = reset(key_reset)
    trades: list[deque[Trades]] = [deque(maxlen=_TRADES) for _ in range(arena.venues)]
    yield _frame(arena, 0, jax.device_get(shown), trades)
    for decision in range(1, arena.decisions + 1):
        observations, state, shown = step(jax.random.fold_in(key_steps, decision), state, observations)
        host = jax.device_get(shown)
        for venue, past in enumerate(trades):
            bought, sold = host["traded"][venue].tolist()
            if bought + sold:
                past.appendleft(Trades(decision, bought, sold, int(host["last"][venue])))
        yield _frame(arena, decision, host, trades)
        if host["over"].all():
            return


def rendered(arena: Arena, frame: Frame) -> RenderableType:
    """A frame for a terminal."""
    said = f"decision {frame.decision} of {frame.decisions}"
    if frame.event is not Event.CALM:
        said += f" · {frame.event.name.lower().replace('_', ' ')}"
    venues = [Columns([_ladder(frame, v), _tape(frame, v)], padding=(0, 3)) for v in range(arena.venues)]
    return Group(Text(said, style="bold"), *venues, _seats(arena, frame))


def _ladder(frame: Frame, venue: int) -> Table:
    halted = int(frame.halted[venue])
    title = f"venue {venue}" + (f" · halted for {halted} more" if halted else "")
    made = Table(title=title, title_justify="left", box=None, header_style="dim")
    for column in ("bid lots", "seats'", "price", "seats'", "ask lots"):
        made.add_column(column, justify="right", min_width=8)
    for side, style, first in ((Side.ASK, "red", -1), (Side.BID, "green", 1)):
        for level in range(frame.prices.shape[2])[::first]:
            price, lots, own = (int(x[venue, side, level]) for x in (frame.prices, frame.lots, frame.seats_lots))
            if price:
                shown = [str(lots), str(own) if own else ""]
                blank = ["", ""]
                cells = [*shown, str(price), *blank] if side == Side.BID else [*blank, str(price), *shown[::-1]]
                made.add_row(*cells, style=style)
    return made


def _tape(frame: Frame, venue: int) -> Table:
    made = Table(title="last trades", title_justify="left", box=None, header_style="dim")
    for column in ("decision", "bought", "sold", "last price"):
        made.add_column(column, justify="right")
    for one in frame.trades[venue]:
        made.add_row(str(one.decision), str(one.bought_lots), str(one.sold_lots), str(one.last_price_ticks))
    return made


def _seats(arena: Arena, frame: Frame) -> Table:
    made = Table(title="seats", title_justify="left", box=None, header_style="dim")
    made.add_column("")
    for venue in range(arena.venues):
        made.add_column(f"lots at {venue}", justify="right")
    made.add_column("profit, ticks", justify="right")
    made.add_column("")
    for at, name in enumerate(agent_names(arena)):
        held = [f"{int(frame.position[venue, at]):+d}" for venue in range(arena.venues)]
        made.add_row(name, *held, f"{frame.profit[at]:+.1f}", frame.status[at])
    return made


def _begun(arena: Arena, key: jax.Array, params: Any) -> tuple[Any, ArenaState, dict[str, jax.Array]]:
    observations, state = arena.reset(key, params)
    return observations, state, _looked(arena, state, params)


def _decided(
    arena: Arena, players: Mapping[str, Player], key: jax.Array, state: ArenaState, observations: Any, params: Any
) -> tuple[Any, ArenaState, dict[str, jax.Array]]:
    key_play, key_market = jax.random.split(key)
    actions = decide(arena, players, key_play, observations, state, params)
    observations, state = arena.transition(key_market, state, actions, params)[:2]
    return observations, state, _looked(arena, state, params)


def _looked(arena: Arena, state: ArenaState, params: Any) -> dict[str, jax.Array]:
    markets, accounts = state.markets, jnp.arange(1, arena.seats + 1, dtype=jnp.int32)
    prices, lots = markets.depth

    def of_seats(market: Any, price: jax.Array) -> jax.Array:
        of_side = [
            jax.vmap(lambda owner, side=side: volume_at(market.book, side, price[side], owner))(accounts)
            for side in Side
        ]
        return jnp.where(price > 0, jnp.stack([each.sum(0, dtype=jnp.int32) for each in of_side]), 0)

    halting = markets.halting
    return {
        "event": state.event.kind,
        "prices": prices,
        "lots": lots,
        "seats_lots": jax.vmap(of_seats)(markets, prices),
        "halted": jnp.zeros(arena.venues, jnp.int32) if halting is None else halting.left,
        "traded": markets.tape.traded_lots,
        "last": markets.tape.last_price_ticks,
        "position": markets.accounts.lots[:, accounts],
        "profit": state.seats.gain,
        "acts": arena.acts(state, params),
        "stopped": state.seats.stopped,
        "over": state.seats.over | ~params.seats.active,
    }


def _frame(arena: Arena, decision: int, host: dict[str, np.ndarray], trades: list[deque[Trades]]) -> Frame:
    status = tuple(
        "stopped" if stopped else "over" if over else "plays" if acts else "waits"
        for stopped, over, acts in zip(host["stopped"], host["over"], host["acts"], strict=True)
    )
    shown = {name: host[name] for name in ("prices", "lots", "seats_lots", "halted", "position", "profit")}
    return Frame(
        decision=decision, decisions=arena.decisions, event=Event(int(host["event"])), **shown,
        trades=tuple(tuple(past) for past in trades), status=status,
    )  # fmt: skip
