"""`python -m lobjax prices build|update|inspect|report`: a store of raw bars and actions, idempotent, that says what is wrong with them."""

import dataclasses
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from lobjax.ranges import ranged

if TYPE_CHECKING:
    from lobjax.data.prices.loading import Load, Loaded
    from lobjax.data.prices.reader import Choices

_MOST_LINES = 10  # of faults that are shown when files are loaded
Words = Annotated[tuple[str, ...], tyro.conf.UseAppendAction]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Files:
    """How the files are to be read, where they do not say it themselves."""

    actions: Path | None = None  # CSV of splits and dividends: date,symbol,split,dividend_factor
    segments: Path | None = None  # CSV of dated tickers: symbol,ticker,from,to; the files' symbols are tickers then
    prices: str | None = None  # raw, split-adjusted or adjusted: needed where neither columns nor splits tell
    bars: str | None = None  # daily, hour or minute; by default as the times are
    symbol: str | None = None  # of files without a column of symbols; by default the file's name
    field: str | None = None  # what the columns of a wide file are, one a symbol: open, high, low, close or volume
    time_zone: str | None = None  # of times without an offset, as America/New_York
    dates: str | None = None  # dmy or mdy, of dates like 03/04/2020
    format: str = "auto"  # table (CSV or Parquet), lean
    repair: Words = ()  # faults to repair where that is certain: order, duplicates, offsets, units, splits, dividends
    accept: Words = ()  # faults to take as they are: range (a high or low outside the other prices)


Reading = Annotated[Files, tyro.conf.arg(name="")]
Paths = Annotated[tuple[Path, ...], tyro.conf.Positional]


@ranged
def build(
    files: Paths = (),
    /,
    *,
    out: Path,
    reading: Reading = Files(),
    listings: Path | None = None,
    calendar: str | None = None,
    revise: bool = False,
) -> None:
    """Make a store of prices from files, whole or not at all; where one is there they are merged into it, and what it has is passed over.

    Args:
        files: CSV or Parquet files (long or wide), zips of LEAN, or folders of these.
        out: Folder of the store.
        reading: How the files are to be read.
        listings: CSV of delistings: symbol,delisted_on and maybe delist_return.
        calendar: Sessions to compare with, by their name in exchange_calendars (XNYS by default), or none.
        revise: Take a bar or action that contradicts a stored one, and keep the old row with its time.
    """
    from lobjax.data.prices.loading import load

    start = time.perf_counter()
    _say(out, load(out, _request(files, reading, listings, revise), create=True, exchange=calendar), start)


@ranged
def update(
    store: Annotated[Path, tyro.conf.Positional],
    files: Paths = (),
    /,
    *,
    reading: Reading = Files(),
    listings: Path | None = None,
    revise: bool = False,
) -> None:
    """Merge files into a store, all or nothing: new bars are added, equal ones passed over, contradictions refused.

    Args:
        store: Folder of the store.
        files: As for `build`.
        reading: How the files are to be read; raw or adjusted by default as those loaded before.
        listings: CSV of delistings: symbol,delisted_on and maybe delist_return.
        revise: Take a bar or action that contradicts a stored one, and keep the old row with its time.
    """
    from lobjax.data.prices.loading import load

    start = time.perf_counter()
    _say(store, load(store, _request(files, reading, listings, revise)), start)


@ranged
def inspect(store: Annotated[Path, tyro.conf.Positional], /) -> None:
    """Show what is in a store: symbols, dates, actions, revisions, and the hash of all its rows.

    Args:
        store: Folder of the store.
    """
    from lobjax.data.prices.inspecting import summary

    found = summary(store)
    width = max(len(name) for name, _ in found)
    for name, text in found:
        print(f"{name:<{width}}  {text}")


@ranged
def report(
    paths: Paths,
    /,
    *,
    out: Path | None = None,
    reading: Reading = Files(),
    calendar: str | None = None,
) -> None:
    """List all faults of a store, or of files not yet loaded: jumps, units, splits, dividends, prints, empty and stale bars, sessions.

    Args:
        paths: A store, or files as for `build`.
        out: CSV to write, a row a fault.
        reading: How the files are to be read (not of a store).
        calendar: Sessions to compare files with, by their name in exchange_calendars; by default none (a store has its own).
    """
    from lobjax.data.prices.faults import table
    from lobjax.data.prices.reporting import lines
    from lobjax.data.prices.reporting import report as report_of
    from lobjax.files import whole_file

    choices = _choices(reading)
    faults, said = report_of(
        paths,
        actions=reading.actions,
        segments=reading.segments,
        exchange=calendar,
        format=reading.format,
        choices=choices,
    )
    for line in said:
        print(line, file=sys.stderr)
    if out is not None:
        with whole_file(out) as path:
            table(faults).write_csv(path)
    for line in lines(faults):
        print(line)


def _request(files: tuple[Path, ...], reading: Files, listings: Path | None, revise: bool) -> "Load":
    from lobjax.data.prices.loading import Load

    return Load(
        files=files,
        actions=reading.actions,
        segments=reading.segments,
        listings=listings,
        format=reading.format,
        choices=_choices(reading),
        revise=revise,
    )


def _choices(reading: Files) -> "Choices":
    from lobjax.data.prices.reader import Choices

    return Choices(**{field.name: getattr(reading, field.name) for field in dataclasses.fields(Choices)})


def _say(store: Path, loaded: "Loaded", start: float) -> None:
    for line in loaded.said:
        print(line, file=sys.stderr)
    certain = loaded.certain()
    for line in certain[:_MOST_LINES]:
        print(line, file=sys.stderr)
    if len(certain) > _MOST_LINES:
        print(f"... and {len(certain) - _MOST_LINES:,} more that could be repaired", file=sys.stderr)
    if faults := loaded.summary():
        print(f"{faults}; `python -m lobjax prices report {store}` lists them", file=sys.stderr)
    rows = loaded.merged
    what = [f"{rows.added:,} rows added", *([f"{rows.filled:,} completed"] if rows.filled else [])]
    what += [f"{rows.revised:,} revised"] if rows.revised else []
    print(f"{store}: {', '.join(what)} in {time.perf_counter() - start:.2f} s", file=sys.stderr)


COMMANDS = {"build": build, "update": update, "inspect": inspect, "report": report}
