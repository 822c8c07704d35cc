"""Random streams for the book: every kind, every bad value, and the shapes of market in which engines are known to slip."""

from collections.abc import Sequence

import numpy as np

from lobjax.kinds import Kind, Trait, has, mask
from lobjax.types import INT32_MAX, Message

# Weights of the kinds 0..9 by character: mixed, mostly queueing (sides fill up), sweeping (deep takers), and thin (more leaves than comes).
_WEIGHTS = (
    (1, 30, 10, 10, 6, 8, 6, 10, 12, 7),
    (1, 55, 3, 2, 1, 1, 1, 28, 5, 3),
    (1, 42, 3, 3, 12, 14, 12, 5, 5, 3),
    (1, 22, 14, 22, 9, 9, 6, 6, 6, 5),
)
_OF_OTHERS = (3, 0.2, 2, 4)  # of each kind that came later; rare where sides should fill up
MIXES = np.array(
    [(*of, *[other] * (len(Kind) - len(of))) for of, other in zip(_WEIGHTS, _OF_OTHERS, strict=True)], float
)
WIDTHS = np.array([2, 8, 40, 400])  # ticks; 2 gives long queues at few prices, 400 gives thin levels
INT32_MIN = -(2**31)


def random_streams(seed: int | Sequence[int], books: int, length: int) -> Message:
    """`books` streams of `length` messages, int32 `[B, M]`, the same for the same arguments; each book has a character of its own."""
    rng = np.random.default_rng(seed)
    shape = (books, length)

    def per_book(values) -> np.ndarray:
        return rng.choice(values, (books, 1))

    mix = (MIXES / MIXES.sum(1, keepdims=True)).cumsum(1)[rng.integers(0, len(MIXES), books)]
    kind = (rng.random(shape)[:, :, None] > mix[:, None, :-1]).sum(2)
    side = rng.integers(0, 2, shape)

    # Bids below and asks above a middle, overlapping by a share of the width that differs from book to book.
    width, overlap = per_book(WIDTHS), per_book([0.0, 0.3, 1.0])
    depth = np.floor(width * (rng.random(shape) * (1 + overlap) - overlap)).astype(int)
    price = per_book([1000, 1000, INT32_MAX - 1000]) + np.where(side == 0, -depth, depth)
    size = rng.integers(1, per_book([3, 20, 1000]) + 1)
    size = np.where(has(kind, mask(Trait.TAKES, without=Trait.RESTS)), size * per_book([1, 4, 30]), size)
    owner = np.minimum(rng.integers(-2, 4, shape), per_book([0, 1, 3, 3]))
    order_id = _own_id(np.arange(length), per_book([length, length, 24]))

    # References mostly name an order that was sent not long ago; whether it still lives is up to the book.
    rests = has(kind, mask(Trait.NEW_ID))
    last_new = np.maximum.accumulate(np.where(rests, np.arange(length), 0), axis=1)
    back = np.maximum(np.arange(length) - rng.geometric(0.08, shape), 0)
    target = np.take_along_axis(last_new, back, axis=1)
    of_owner = has(kind, mask(Trait.OF_OWNER))
    refers = (has(kind, mask(Trait.NAMES_ORDER)) | of_owner) & (rng.random(shape) < 0.95)
    same_price = refers & (of_owner | (rng.random(shape) < 0.5))
    side = np.where(refers, np.take_along_axis(side, target, 1), side)
    order_id = np.where(refers, np.take_along_axis(order_id, target, 1), order_id)
    price = np.where(same_price, np.take_along_axis(price, target, 1), price)
    owner = np.where(refers & of_owner, np.take_along_axis(owner, target, 1), owner)

    # Now and then a size near 2^31, an id that is already taken, or any field that makes no sense.
    size = np.where((rng.random(shape) < per_book([0, 0, 0.1])), INT32_MAX - rng.integers(0, 3, shape), size)
    order_id = np.where(rests & (rng.random(shape) < 0.03), np.take_along_axis(order_id, target, 1), order_id)
    bad = per_book([0.0, 0.02])
    kind = _spoil(rng, kind, bad, [-1, len(Kind), len(Kind) + 1, INT32_MAX, INT32_MIN])
    side = _spoil(rng, side, bad, [-1, 2, 3, INT32_MAX, INT32_MIN])
    price = _spoil(rng, price, bad, [0, -1, -1000, INT32_MIN, INT32_MAX, 1])
    size = _spoil(rng, size, bad, [0, -1, -20, INT32_MIN, INT32_MAX])
    order_id = _spoil(rng, order_id, bad, [0, -1, -7, INT32_MIN, INT32_MAX])
    return Message(*(field.astype(np.int32) for field in (kind, side, price, size, order_id, owner)))


def _own_id(index: np.ndarray, period: np.ndarray) -> np.ndarray:
    # A short period brings ids back after their orders have gone, and while they have not.
    return index[None, :] % period + 1


def _spoil(rng: np.random.Generator, field: np.ndarray, share: np.ndarray, values: list[int]) -> np.ndarray:
    return np.where(rng.random(field.shape) < share, rng.choice(values, field.shape), field)
