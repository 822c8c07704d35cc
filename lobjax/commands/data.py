"""`python -m lobjax data build|inspect`: recorded days."""

import sys
import time
from pathlib import Path
from typing import Annotated

import tyro

from lobjax.ranges import Range, ranged


@ranged
def build(
    path: Annotated[Path, tyro.conf.Positional],
    book: Annotated[Path | None, tyro.conf.Positional] = None,
    /,
    *,
    out: Path,
    tick_size: Annotated[int, Range(1, 10**9)] | None = None,
    levels: Annotated[int, Range(1, 512)] | None = None,
    margin: Annotated[int, Range(0, 10_000)] | None = None,
    instrument: str | None = None,
) -> None:
    """Translate a LOBSTER day, or a Databento MBO file, into a folder that loads in a moment; does nothing where that is up to date.

    Args:
        path: The official zip, a message file (.csv, .csv.gz), a folder with one of these; or a .dbn, .dbn.zst.
        book: The orderbook file; by default the one beside the message file.
        out: Folder to write, whole or not at all.
        tick_size: File price units in one tick. LOBSTER: of 1e-4 dollars, 100 by default; MBO: of 1e-9, found by default.
        levels: Depth of the window; by default that of the book file (MBO: 5).
        margin: Further levels a side to hold (a measured default).
        instrument: Its symbol or number, where an MBO file holds several.
    """
    from lobjax.data.store import build as build_folder

    start = time.perf_counter()
    day, built = build_folder(
        path, book, out=out, tick_size=tick_size, levels=levels, margin=margin, instrument=instrument
    )
    done = f"built in {time.perf_counter() - start:.1f} s" if built else "up to date"
    print(f"{out}: {done}; {day.info.rows:,} rows, {len(day.origin):,} messages", file=sys.stderr)
    if strange := day.info.counts.get("unexplained_rows"):
        print(f"{out}: {strange:,} book rows differ above their deepest level and were not corrected", file=sys.stderr)


@ranged
def inspect(
    path: Annotated[Path, tyro.conf.Positional],
    book: Annotated[Path | None, tyro.conf.Positional] = None,
    /,
    *,
    tick_size: Annotated[int, Range(1, 10**9)] | None = None,
    levels: Annotated[int, Range(1, 512)] | None = None,
    instrument: str | None = None,
) -> None:
    """Show what is in a built folder, a LOBSTER day or a Databento MBO file.

    Args:
        path: A built folder, or files as for `build`.
        book: The orderbook file; by default the one beside the message file.
        tick_size: File price units in one tick, as for `build` (not of a built folder).
        levels: Depth of the window, as for `build` (not of a built folder).
        instrument: Its symbol or number, where an MBO file holds several (not of a built folder).
    """
    from lobjax.data.day_summary import summary
    from lobjax.data.store import load_day

    given = {"tick_size": tick_size, "levels": levels, "instrument": instrument}
    lines = summary(load_day(path, book, **{name: value for name, value in given.items() if value is not None}))
    width = max(len(name) for name, _ in lines)
    for name, text in lines:
        print(f"{name:<{width}}  {text}")


COMMANDS = {"build": build, "inspect": inspect}
