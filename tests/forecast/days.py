"""A made-up day of rows, with whatever rows can be: empty levels and sides, hidden executions, halts, bursts."""

import numpy as np

from lobjax.data.day import EventType
from lobjax.forecast.features import Rows


def made_up(rows=3000, levels=5, seed=0, gaps=True):
    rng = np.random.default_rng(seed)
    mid = 10_000 + np.cumsum(rng.choice([-1, 0, 1], rows, p=[0.1, 0.8, 0.1]))
    book = np.zeros((rows, 2, levels, 2), np.int32)
    for side, sign in ((0, -1), (1, 1)):
        steps = np.cumsum(rng.integers(1, 4, (rows, levels)), 1)
        book[:, side, :, 0] = mid[:, None] + sign * steps
        book[:, side, :, 1] = rng.integers(1, 500, (rows, levels))
    if gaps:
        for row in rng.integers(0, rows, rows // 20):  # fewer levels on a side, now and then none
            book[row, rng.integers(0, 2), rng.integers(0, levels) :] = 0
    kinds = [
        int(k)
        for k in (
            EventType.NEW,
            EventType.CANCEL,
            EventType.DELETE,
            EventType.EXECUTION,
            EventType.HIDDEN,
            EventType.HALT,
        )
    ]
    nanos = np.cumsum(rng.choice([0, 10**6, 10**9], rows, p=[0.3, 0.6, 0.1])) + 34_200 * 10**9
    return Rows(
        nanos // 10**9, nanos % 10**9, rng.choice(kinds, rows).astype(np.int8), rng.integers(0, 2, rows).astype(np.int8),
        rng.integers(1, 300, rows), book,
    )  # fmt: skip
