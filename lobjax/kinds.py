"""The kinds of message: one row a kind, with the traits that every engine, the risk check, the tape and the random streams read.

A kind that recombines known moves is a row here, its cases in `tests/book`, and nothing else. What a trait makes a message do is in
`lobjax.book.step` (the pure step), `lobjax.engine.kernel.step` (the kernel) and `lobjax.reference.book` (Numba); each asks for a trait by
its mask, an int32 with a bit for every kind that has it, so that the question is a shift and an `and` wherever it is compiled.

No JAX and no NumPy, so that every engine can import it.
"""

from enum import Flag, IntEnum, auto
from typing import Any


class Trait(Flag):
    """What a kind asks of a book, and of those who check it before."""

    # What a message must bring, or it is invalid.
    SIDED = auto()  # a side, 0 or 1
    PRICED = auto()  # a positive price
    SIZED = auto()  # a positive size
    NEW_ID = auto()  # a positive id of its own that is not live on its side
    # What it does to orders of its own side. SIZED: up to `size` lots; otherwise all of them.
    NAMES_ORDER = auto()  # it means the order of that id; there is none: unknown
    OF_OWNER = (
        auto()
    )  # it means its owner's orders (PRICED: those at that price, newest first); there are none: unknown
    REENTERS = auto()  # what it takes off comes back as a new order, unless it can keep its place
    # What it does with the other side.
    TAKES = auto()  # trades what crosses, best price first, oldest first
    ANY_PRICE = auto()  # every price crosses
    ALL_OR_NOTHING = auto()  # refused where it cannot trade in full at once
    NEVER_TAKES = auto()  # refused where it would cross
    # And then.
    RESTS = auto()  # what is left joins the queue; otherwise it is discarded
    # What a risk check may rely on. A kind that does not declare it is limited, so a forgotten trait fails closed.
    NEVER_ADDS = auto()  # it cannot increase what its owner holds, now or later


T = Trait
_NOTHING = T(0)
_ORDER = T.SIDED | T.PRICED | T.SIZED
_LEAVES = T.SIDED | T.NEVER_ADDS


class Kind(IntEnum):
    """Message kinds by number; 1 to 3 agree with LOBSTER's types."""

    traits: Trait

    def __new__(cls, number: int, traits: Trait) -> "Kind":
        kind = int.__new__(cls, number)
        kind._value_ = number
        kind.traits = traits
        return kind

    NOOP = 0, T.NEVER_ADDS
    LIMIT = 1, _ORDER | T.NEW_ID | T.TAKES | T.RESTS
    CANCEL = 2, _LEAVES | T.NAMES_ORDER | T.SIZED
    DELETE = 3, _LEAVES | T.NAMES_ORDER
    MARKET = 4, T.SIDED | T.SIZED | T.TAKES | T.ANY_PRICE
    IOC = 5, _ORDER | T.TAKES
    FOK = 6, _ORDER | T.TAKES | T.ALL_OR_NOTHING
    POST_ONLY = 7, _ORDER | T.NEW_ID | T.RESTS | T.NEVER_TAKES
    REPLACE = 8, _ORDER | T.NAMES_ORDER | T.REENTERS | T.TAKES | T.RESTS
    REDUCE = 9, _LEAVES | T.PRICED | T.SIZED | T.OF_OWNER
    CANCEL_ALL = 10, _LEAVES | T.OF_OWNER


KNOWN = (1 << len(Kind)) - 1  # the mask of all kinds
MOST_KINDS = 31  # masks are int32


def mask(*traits: Trait, without: Trait = _NOTHING) -> int:
    """The kinds that have all of `traits` and none of `without`, as bits of an int32: bit k for kind k."""
    wanted = _NOTHING
    for trait in traits:
        wanted |= trait
    return sum(1 << kind for kind in Kind if wanted in kind.traits and not kind.traits & without)


def has(kind: Any, kinds: int) -> Any:
    """Whether a known kind (see `is_known`) is among `kinds`, a `mask`: a bool, or bools of an int32 array, traced or not."""
    if kinds and not kinds & (kinds - 1):  # of one kind: a comparison
        return kind == kinds.bit_length() - 1
    return in_mask(kind, kinds)


def in_mask(kind: Any, kinds: Any) -> Any:
    """`has` as the one expression that Numba compiles; the mask may be a variable."""
    return (kinds >> (kind & 31)) & 1 == 1


def is_known(kind: Any) -> Any:
    """Whether a number is that of a kind."""
    return (kind >= 0) & (kind < len(Kind))
