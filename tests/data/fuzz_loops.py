"""Run by `test_checks` with Numba's compiler off: rows and records that are odd, but read, translated and replayed in plain Python."""

import random
import sys
import tempfile
from pathlib import Path

import numba
import numpy as np

from lobjax.data import Day, Replay, build_day
from lobjax.data.checks import check_day
from lobjax.errors import InputError
from lobjax.reference import batch
from lobjax.types import Message
from tests.data.synthetic_lobster import make_rows, write_pair
from tests.data.synthetic_mbo import record, write_file

EXAMPLES = int(sys.argv[1])
assert numba.config.DISABLE_JIT


def odd_lobster(folder: Path, rng: random.Random) -> Path:
    """A day whose rows are exchanged, doubled and renamed, so that neither book nor messages agree."""
    messages, books = make_rows(levels=2, rows=60, seed=rng.randrange(10**6), depth=6)
    rows = [line.split(",") for line in messages]
    for _ in range(rng.randrange(30)):
        row, other = rng.choice(rows), rng.choice(rows)
        for field in rng.sample(range(1, 6), rng.randrange(1, 4)):
            row[field] = other[field]
        if rng.random() < 0.3:
            row[3] = rng.choice(("1", "100000", "2147483647"))
    for _ in range(rng.randrange(10)):
        books[rng.randrange(60)] = rng.choice(books)
    return write_pair(folder, [",".join(row) for row in rows], books if rng.random() < 0.7 else None)


def odd_orders(folder: Path, rng: random.Random) -> Path:
    """Records of few ids and prices in any order: orders that are unknown, doubled, crossed, oversized."""
    records = []
    for at in range(rng.randrange(5, 80)):
        action, side = rng.choice("AAAACCMMTFFRN"), rng.choice("ABABN" if rng.random() < 0.2 else "AB")
        placed = action in "AM"
        flags = rng.choice((0, 128, 128, 128, 128 | 32))
        records.append(
            record(
                action,
                rng.choice("AB") if placed else side,
                rng.randrange(95, 106) if placed or rng.random() < 0.8 else None,
                rng.choice((1, 2, 5, 2**31 - 1)),
                rng.randrange(0 if not placed else 1, 9),
                flags=flags,
                at_ns=at,
            )
        )
    return write_file(folder / "day.dbn", records)


def played(day: Day) -> None:
    replay = Replay(check_day(day))
    levels = replay.levels(day.info.rows, 3)
    assert (levels >= 0).all() and not any(replay.counters), replay.counters


def main() -> None:
    read = 0
    for seed in range(60 * EXAMPLES):
        rng = random.Random(seed)
        with tempfile.TemporaryDirectory() as folder:
            path = (odd_lobster, odd_orders)[seed % 2](Path(folder), rng)
            try:
                played(build_day(path))
            except InputError:
                continue
            read += 1
    assert read > 20 * EXAMPLES, read
    values = np.array([-(2**31), -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 2**31 - 1], np.int32)
    for seed in range(20 * EXAMPLES):
        draws, shape = np.random.default_rng(seed), (2, 60)
        sides = draws.integers(-1, 3, shape) if seed % 2 else draws.integers(0, 2, shape)
        rest = [draws.choice(values, shape) if seed % 3 else draws.integers(1, 9, shape) for _ in range(3)]
        fields = (draws.integers(0, 11, shape), sides, *rest, draws.integers(-1, 3, shape))
        batch.run(Message(*(field.astype(np.int32) for field in fields)), 4)


if __name__ == "__main__":
    main()
