"""An arena's episodes, message by message: opening books, what every book got, final books and accounts."""

from dataclasses import replace

import jax
import numpy as np

from lobjax.arena import Arena, ArenaConfig, make_arena
from lobjax.arena.playing import Player, baselines, play_episode, random_player
from lobjax.arena.seats import CLOSING
from lobjax.book import listing
from lobjax.errors import InputError
from lobjax.market import MarketState
from lobjax.settings import key_of, settled
from lobjax.types import Message, Side
from lobjax.wide import to_int

PLAYERS = ("baselines", "random")


@settled
def tape_of(config: ArenaConfig, episodes: int, seed: int, play: str = "baselines") -> dict[str, np.ndarray]:
    """The arrays of `python -m bench arena-tape`; InputError where a step had more messages than its bound."""
    arena = make_arena(config)
    arena = replace(arena, market=replace(arena.market, journal=_places(arena)))
    players: dict[str, Player] = baselines(arena)
    if play == "random":
        players = {group.name: random_player(arena, group) for group in arena.groups}
    rows, ends = [], []
    run = jax.jit(lambda key: _episode(arena, players, key))
    for episode in range(episodes):
        opening, last, journal = jax.device_get(run(jax.random.fold_in(key_of(seed), episode)))
        if int(last.late.sum()):
            raise InputError(f"arena.max_messages: a step of episode {episode} had more; raise it")
        for venue in range(arena.venues):
            here = [jax.tree.map(lambda x, v=venue: x[v], each) for each in (opening, last)]
            messages = [
                np.stack([field[t, venue, : int(journal.count[t, venue])] for field in journal.message], axis=1)
                for t in range(journal.count.shape[0])
            ]
            rows.append(np.concatenate(messages))
            ends.append((venue, *here))
    most = max(len(row) for row in rows)
    padded = np.zeros((len(rows), most, len(Message._fields)), np.int32)
    for row, messages in zip(padded, rows, strict=True):
        row[: len(messages)] = messages
    return {
        "venue_of": np.asarray([venue for venue, _, _ in ends], np.int32),
        "messages": padded,
        **{f"opening_{name}": np.stack([opening.book[side] for _, opening, _ in ends]) for name, side in _SIDES},
        **{name: np.stack([last.book[side] for _, _, last in ends]) for name, side in _SIDES},
        "lots": np.stack([last.accounts.lots for _, _, last in ends]).astype(np.int32),
        "cash": np.stack([to_int(last.accounts.cash) for _, _, last in ends]),
        "fees": np.stack([to_int(last.accounts.fees) for _, _, last in ends]),
    }


_SIDES = (("bids", Side.BID), ("asks", Side.ASK))


def _places(arena: Arena) -> int:
    """Of a step's messages and its closing ones."""
    return arena.market.max_messages + CLOSING * arena.seats


def _episode(arena: Arena, players: dict[str, Player], key: jax.Array):
    opening, last, journal = play_episode(
        arena, players, key, arena.default_params, lambda before, actions, step: step[1].markets.journal
    )
    books = [jax.vmap(_listed)(state.markets) for state in (opening, last)]
    return *books, journal


def _listed(market: MarketState) -> MarketState:
    return market.replace(book=listing(market.book))
