"""`python -m lobjax data build|inspect`."""

import sys
import time
from pathlib import Path
from typing import Annotated

import tyro

from lobjax.cli import run_command
from lobjax.data.loading import TICK_SIZE
from lobjax.data.store import build as build_folder
from lobjax.data.store import load_day
from lobjax.data.summary import summary


def build(
    path: Annotated[Path, tyro.conf.Positional],
    book: Annotated[Path | None, tyro.conf.Positional] = None,
    /,
    *,
    out: Path,
    tick_size: int = TICK_SIZE,
    levels: int | None = None,
    margin: int | None = None,
) -> None:
    """Translate a LOBSTER day into a folder that loads in a moment; does nothing where that is up to date.

    Args:
        path: The official zip, a message file (.csv, .csv.gz) or a folder with one of these.
        book: The orderbook file; by default the one beside the message file.
        out: Folder to write, whole or not at all.
        tick_size: File price units (1e-4 dollars) in one tick.
        levels: Depth of the window; by default that of the book file.
        margin: Further levels a side to hold (a measured default).
    """
    start = time.perf_counter()
    day, built = build_folder(path, book, out=out, tick_size=tick_size, levels=levels, margin=margin)
    done = f"built in {time.perf_counter() - start:.1f} s" if built else "up to date"
    print(f"{out}: {done}; {day.info.rows:,} rows, {len(day.origin):,} messages", file=sys.stderr)
    if strange := day.info.counts["unexplained_rows"]:
        print(f"{out}: {strange:,} book rows differ above their deepest level and were not corrected", file=sys.stderr)


def inspect(
    path: Annotated[Path, tyro.conf.Positional],
    book: Annotated[Path | None, tyro.conf.Positional] = None,
    /,
    *,
    tick_size: int | None = None,
    levels: int | None = None,
) -> None:
    """Show what is in a built folder or a LOBSTER day.

    Args:
        path: A built folder, or LOBSTER files as for `build`.
        book: The orderbook file; by default the one beside the message file.
        tick_size: File price units (1e-4 dollars) in one tick, 100 by default (LOBSTER files only).
        levels: Depth of the window; by default that of the book file (LOBSTER files only).
    """
    arguments = {name: value for name, value in (("tick_size", tick_size), ("levels", levels)) if value is not None}
    lines = summary(load_day(path, book, **arguments))
    width = max(len(name) for name, _ in lines)
    for name, text in lines:
        print(f"{name:<{width}}  {text}")


def main(args: list[str]) -> None:
    """Run one subcommand with the command line's arguments."""
    run_command({"build": build, "inspect": inspect}, "python -m lobjax data", args)
