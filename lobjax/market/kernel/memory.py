"""What the engine `kernel` is handed and hands back, and rows of accounts in registers.

In a kernel every leaf is a reference. A vector there has a power of two of elements: accounts are read into as many rows, of which those
from A on all stand for account A, are treated alike and so stay equal.
"""

from dataclasses import fields
from typing import Any, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp

from lobjax.book import Depth
from lobjax.clock import Time
from lobjax.engine.kernel.book import FlatBook
from lobjax.engine.kernel.moves import pick, slot_index
from lobjax.market.accounts import Accounts, Fees
from lobjax.market.inflight import InFlight
from lobjax.market.risk import Limits
from lobjax.market.safeguards import Halting, Safeguards
from lobjax.market.state import MarketState
from lobjax.market.tape import Tape
from lobjax.types import Counters, Message


class Moving(flax.struct.PyTreeNode):
    """What a call changes in place, a part of `MarketState`."""

    book: FlatBook
    flow: Any
    now: Time
    due: Time
    head: jax.Array  # of the messages in flight
    accounts: Accounts
    counters: Counters
    flow_counters: Counters
    clipped_lots: jax.Array
    late: jax.Array
    halting: Halting | None


class Given(flax.struct.PyTreeNode):
    """What it reads beside."""

    opened: Time
    queue: InFlight  # without its head, which moves
    closing: Message | None  # [C], None where C is 0
    until: Time
    words: jax.Array | None  # uint32 [draws, W], None where W is 0
    fees: Fees
    limits: Limits
    safeguards: Safeguards | None
    flow: Any  # the flow's parameters


class Shown(flax.struct.PyTreeNode):
    """What it writes beside."""

    depth: Depth
    tape: Tape


def moving(state: MarketState) -> Moving:
    """The part of a market that a call changes."""
    return Moving(**_same_fields(state), head=state.in_flight.head)


def moved(state: MarketState, given: Given, after: Moving, shown: Shown) -> MarketState:
    """The market after a call."""
    queue = given.queue.replace(head=after.head)
    return state.replace(**_same_fields(after), in_flight=queue, depth=shown.depth, tape=shown.tape)


def _same_fields(record: MarketState | Moving) -> dict[str, Any]:
    """The fields that both have, by name."""
    return {field.name: getattr(record, field.name) for field in fields(Moving) if field.name != "head"}


class Row:
    """Row `at` of a matrix behind a reference, read element by element: a flow's random words."""

    def __init__(self, words: Any, at: jax.Array) -> None:
        self._words, self._at = words, at

    def __getitem__(self, place: int | jax.Array) -> jax.Array:
        return self._words[self._at, place]


class Rows(NamedTuple):
    """Rows of accounts in registers: int32 `[R]`, of which the first A + 1 count."""

    values: jax.Array
    accounts: int  # A

    @property
    def shape(self) -> tuple[int]:
        return (self.accounts + 1,)

    def __getitem__(self, row: jax.Array) -> jax.Array:
        return pick(slot_index(self.values.shape[0]) == row, self.values)


def account_rows(accounts: int) -> jax.Array:
    """The account of each row, int32 `[R]`."""
    return jnp.minimum(slot_index(max(2, 1 << accounts.bit_length())), accounts)


def load_rows(record: Any, rows: jax.Array) -> Any:
    """Accounts, fees or other records by account into registers; scalars as they are."""
    return jax.tree.map(lambda ref: ref[rows] if ref.shape else ref[...], record)


def store_rows(record: Any, values: Any, rows: jax.Array) -> None:
    """The way back."""

    def store(ref: Any, value: jax.Array) -> None:
        ref[rows if ref.shape else ...] = value

    jax.tree.map(store, record, values)


def load(record: Any) -> Any:
    """Whole leaves."""
    return jax.tree.map(lambda ref: ref[...], record)


def store(record: Any, values: Any) -> None:
    """The way back."""

    def one(ref: Any, value: jax.Array) -> None:
        ref[...] = value

    jax.tree.map(one, record, values)
