"""Small made-up panels as files."""

from pathlib import Path

import numpy as np

HEADER = "date,symbol,open,high,low,close,volume"
DAYS = np.arange("2020-01-06", "2020-01-25", dtype="datetime64[D]")
DAYS = DAYS[np.is_busday(DAYS) & (np.datetime64("2020-01-20") != DAYS)]  # sessions of New York's


def rows(symbols: str = "AB", days: np.ndarray = DAYS, seed: int = 0) -> list[str]:
    """Quiet raw bars, sorted by day; the same for a symbol and day however many are made."""
    made = []
    for day in days:
        for symbol in symbols:
            generator = np.random.default_rng([seed, ord(symbol), int(day.astype(np.int64))])
            o, c = 20 + ord(symbol) + generator.integers(-50, 50, 2) / 100
            made.append(
                f"{day},{symbol},{o:.2f},{max(o, c) + 0.1:.2f},{min(o, c) - 0.1:.2f},{c:.2f},{generator.integers(1, 999)}"
            )
    return made


def write(path: Path, lines: list[str], header: str = HEADER) -> Path:
    """A CSV."""
    path.write_text("\n".join([header, *lines]) + "\n")
    return path
