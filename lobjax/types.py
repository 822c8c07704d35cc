"""The vocabulary of a book beside its kinds of message (`lobjax.kinds`): sides, records. No JAX and no NumPy, for every engine.

All numbers are int32: prices in ticks, sizes in lots, owners and order ids plain integers
(docs/rules.md: owner 0 is the background market, 1..A the simulated accounts, negative owners other background parties).
"""

from enum import IntEnum
from typing import Any, NamedTuple


class Side(IntEnum):
    """The side of an order: a bid buys, an ask sells."""

    BID = 0
    ASK = 1


class Message(NamedTuple):
    """One message, or a batch of them: every field is an int32 scalar or an array of one common shape."""

    kind: Any
    side: Any
    price: Any
    size: Any
    order_id: Any
    owner: Any


class Counters(NamedTuple):
    """What a book refused or could not do; int32 counts, never silent."""

    unknown: Any
    invalid: Any
    refused: Any
    displaced: Any
    stp: Any


class Fills(NamedTuple):
    """Fills of one message in order of execution, at the resting orders' prices; rows with `lots == 0` are padding."""

    order_id: Any
    owner: Any
    price: Any
    lots: Any


# Disjoint ranges of order ids, so that recorded, synthetic and agents' orders can never meet.
SYNTHETIC_ID_BASE = 1 << 29
AGENT_ID_BASE = 1 << 30
MAX_CAPACITY = 512
INT32_MAX = 2**31 - 1
