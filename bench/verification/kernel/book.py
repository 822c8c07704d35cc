"""The compiled book kernel on streams of messages, by `ptx` beside this: is it right, and how many instructions does a message take."""

from collections import Counter
from typing import NamedTuple

import numpy as np

from bench.verification.kernel.ptx import Program
from lobjax.engine.kernel.book import CLOSED, FREE, INT32_MIN, Slots, slots_of
from lobjax.types import Counters, Message


class BookRun(NamedTuple):
    """What a call of the kernel left, and what it took. Fields as in `StreamResult`, but counters together; NumPy int32."""

    bids: np.ndarray  # [B, N, 4]
    asks: np.ndarray
    traded: np.ndarray  # [B, M]
    fills: np.ndarray  # [F, 6]; empty without a log
    counters: np.ndarray  # [B, 5]
    executed: Counter[str]  # opcodes


def play(code: str, messages: Message, capacity: int, fill_rows: int) -> BookRun:
    """Run the PTX of `lobjax.engine.kernel.replay`, compiled for these M and this capacity, over empty books; messages `[B, M]`."""
    program, executed = Program(code), Counter()
    books, length = messages.kind.shape
    slots = slots_of(capacity)

    def zeros(*shape: int) -> np.ndarray:
        return np.zeros(shape, np.int32)

    key = np.tile(np.where(np.arange(slots) < capacity, FREE, CLOSED).astype(np.int32), (books, 2, 1))
    book = [key, *(zeros(books, 2, slots) for _ in range(4)), zeros(books)]
    traded, counters = zeros(books, length), zeros(len(Counters._fields), books)
    log, logged = zeros(books, fill_rows, 5), zeros(books)
    # The parameters of the kernel: the book, the messages, and the leaves of `kernel.Replay`, of which the book is written in place.
    buffers = [
        *book,
        *map(np.ascontiguousarray, messages),
        *book,
        traded,
        *counters,
        *([log, logged] if fill_rows else []),
    ]
    for number in range(books):
        executed += program.run(number, [buffer.reshape(-1) for buffer in buffers])
    bids, asks = (
        np.stack(
            [_listed(Slots(*(field[number, side] for field in book[:5])), side, capacity) for number in range(books)]
        )
        for side in range(2)
    )
    at, row = np.nonzero(np.arange(fill_rows) < logged[:, None])
    fills = np.concatenate([at.astype(np.int32)[:, None], log[at, row]], axis=1)
    return BookRun(bids, asks, traded, fills, counters.T, executed)


def _listed(slots: Slots, side: int, capacity: int) -> np.ndarray:
    """One side, int32 `[N, 4]` (price, size, order id, owner), best first, zero padded."""
    live = np.nonzero(slots.key < 0)[0]
    live = live[np.lexsort((slots.arrival[live], slots.key[live]))]
    price = -slots.key if side == 0 else slots.key ^ np.int32(INT32_MIN)
    rows = np.zeros((capacity, 4), np.int32)
    rows[: len(live)] = np.stack([price, slots.size, slots.order_id, slots.owner], axis=1)[live]
    return rows
