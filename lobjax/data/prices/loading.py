"""Files into a store: read, settled, checked, repaired where asked, merged in one transaction, and what was met said."""

import datetime
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from lobjax.data.prices import calendar, merging
from lobjax.data.prices.actions import by_segments, read_actions, read_listings, read_segments
from lobjax.data.prices.basis import settle, to_raw
from lobjax.data.prices.checking import checked
from lobjax.data.prices.database import check_store, frame, meta, remember, writing
from lobjax.data.prices.faults import OF_FILES, Fault, check_words, refuse
from lobjax.data.prices.formats import AUTO, expand, read
from lobjax.data.prices.panel import FIELDS
from lobjax.data.prices.reader import Bars, Choices
from lobjax.errors import InputError

CALENDAR = "XNYS"


@dataclass(frozen=True, kw_only=True)
class Load:
    """What is to be loaded: files of bars, and of actions, segments (dated tickers), listings (delistings)."""

    files: tuple[Path, ...] = ()
    actions: Path | None = None
    segments: Path | None = None
    listings: Path | None = None
    format: str = AUTO
    choices: Choices = field(default_factory=Choices)
    revise: bool = False


@dataclass
class Loaded:
    """What came of it: a line a file, the faults met, rows added, filled in and revised, of bars and actions together."""

    said: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    merged: merging.Merged = field(default_factory=lambda: merging.Merged(0, 0, 0))

    def count(self, merged: merging.Merged) -> merging.Merged:
        """Add to the rows."""
        self.merged = merging.Merged(*(a + b for a, b in zip(self.merged, merged, strict=True)))
        return merged

    def certain(self) -> list[str]:
        """The faults that could be repaired, a line each."""
        return [fault.line() for fault in self.faults if fault.option]

    def summary(self) -> str | None:
        """The faults by name, in a line; None where there are none."""
        if not self.faults:
            return None
        names = Counter[str]()
        for fault in self.faults:
            names[fault.name] += fault.count
        return "faults: " + ", ".join(f"{name} {count:,}" for name, count in sorted(names.items()))


def load(path: str | Path, request: Load, *, create: bool = False, exchange: str | None = None) -> Loaded:
    """Load files into the store at `path`, all or nothing. `create`: make it where there is none, for the calendar `exchange` (XNYS).

    InputError for bad input, for what contradicts the store unless `revise`, and where another process writes there.
    """
    check_words(request.choices.repair, request.choices.accept)
    if not (request.files or request.actions or request.segments or request.listings):
        raise InputError("no file to load; name files of bars, or --actions, --segments, --listings")
    if create and exchange not in (None, calendar.NONE):
        calendar.check_name(str(exchange))
    if not create:
        check_store(path)
    choices = request.choices
    actions = read_actions(request.actions, choices.dates) if request.actions else None
    segments = read_segments(request.segments) if request.segments else None
    listings = read_listings(request.listings) if request.listings else None
    files = [read(file, choices, request.format) for file in expand(request.files)]
    for bars in files:
        refuse(bars.path, bars.faults, choices.repair, choices.accept)
    loaded, now = Loaded(), datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    with writing(path, create=create) as connection:
        if actions is not None:
            merged = merging.merge_actions(connection, actions, str(request.actions), now, revise=request.revise)
            _said(connection, loaded, str(request.actions), actions.height, "actions", [], merged, now)
        if segments is not None:
            merging.merge_tickers(connection, segments, str(request.segments))
        if listings is not None:
            merging.merge_listings(connection, listings, str(request.listings), revise=request.revise)
        for bars in files:
            _load_file(connection, bars, request, segments, loaded, now)
        _calendar(connection, exchange, choices.time_zone)
        _sessions(connection, files, loaded)
    return loaded


def _load_file(
    connection: Any, bars: Bars, request: Load, segments: "pl.DataFrame | None", loaded: Loaded, now: datetime.datetime
) -> None:
    if segments is not None:
        bars.frame, others = by_segments(bars.frame, segments)
        if not bars.frame.height:
            raise InputError(
                f"{bars.path}: no row belongs to a segment of {request.segments}; look at its tickers and dates"
            )
        if others:
            bars.said.append(f"{others:,} rows of other companies left out")
    known = frame(connection, "SELECT symbol, time, kind, value FROM actions ORDER BY ALL")
    settle(bars, request.choices.prices, known, before=meta(connection).get("prices"))
    found = checked(bars, known, request.choices, _before(connection, bars))
    bars.frame = found.frame
    loaded.faults += found.faults
    _keep(connection, [fault for fault in found.faults if fault.name in OF_FILES], bars.path, now)
    if found.actions.height:
        loaded.count(merging.merge_actions(connection, found.actions, bars.path, now, revise=request.revise))
    every = pl.concat([found.actions, known.select(found.actions.columns)]).unique(
        ["symbol", "time", "kind"], keep="first"
    )
    kept = bars.basis == "adjusted" and not every.height
    raw = bars.frame if kept else to_raw(bars, every)
    if kept:
        _check_overlap(connection, bars)
        bars.said.append("adjusted prices, kept as they are for want of actions")
    symbols = raw["symbol"].unique().sort().to_list()
    merging.merge_bases(connection, symbols, bars.kind, "adjusted" if kept else "raw", bars.path)
    merged = merging.merge_bars(connection, raw, bars.kind, bars.path, now, revise=request.revise)
    remember(connection, "prices", str(bars.basis))
    _said(connection, loaded, bars.path, raw.height, "bars", bars.said, merged, now)


def _keep(connection: Any, faults: list[Fault], path: str, now: datetime.datetime) -> None:
    """Faults of a file that are loaded with it, once each."""
    for fault in faults:
        row = [fault.name, fault.symbol, fault.first, fault.last, fault.count, fault.detail, fault.repair]
        known = "SELECT 1 FROM faults WHERE name = ? AND symbol = ? AND first = ? AND last = ? AND detail = ?"
        if not connection.execute(known, [*row[:4], fault.detail]).fetchall():
            connection.execute("INSERT INTO faults VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [*row, path, now])


def _check_overlap(connection: Any, bars: Bars) -> None:
    """InputError where adjusted bars come after the stored ones without one in common, which would tell whether they were rescaled."""
    stored = connection.execute(
        "SELECT symbol, max(time) FROM bars WHERE kind = ? GROUP BY symbol", [bars.kind]
    ).fetchall()
    last = {symbol: time for symbol, time in stored}
    first = bars.frame.group_by("symbol").agg(pl.col("time").min().cast(pl.Datetime("us"))).sort("symbol")
    for symbol, time in first.iter_rows():
        if symbol in last and time > last[symbol]:
            raise InputError(
                f"{bars.path}: {symbol}: adjusted prices after the stored ones, and none in common that tells whether they were "
                "rescaled; give a file that overlaps, or actions"
            )


def _before(connection: Any, bars: Bars) -> "pl.DataFrame | None":
    """The last stored bar of each symbol before those of a file, on its basis; None where there is none, or it cannot be told."""
    if bars.basis == "adjusted":
        return None
    starts = bars.frame.group_by("symbol").agg(pl.col("time").min().cast(pl.Datetime("us")))
    connection.register("incoming", starts.to_arrow())
    names = ", ".join(f"arg_max(b.{name}, b.time) AS {name}" for name in FIELDS)
    found = frame(
        connection,
        f"SELECT b.symbol, max(b.time) AS time, {names} FROM bars b JOIN incoming i ON b.symbol = i.symbol AND b.time < i.time "
        "WHERE b.kind = ? GROUP BY b.symbol",
        [bars.kind],
    )
    connection.unregister("incoming")
    if not found.height:
        return None
    if bars.basis == "split-adjusted" and "split" in bars.frame.columns:
        ratio = pl.col("ratio").fill_null(1.0)
        found = found.join(bars.frame.group_by("symbol").agg(ratio=pl.col("split").product()), on="symbol", how="left")
        found = found.with_columns(*(pl.col(name) / ratio for name in FIELDS[:4]), pl.col("volume") * ratio).drop(
            "ratio"
        )
    return found.with_columns(pl.col("time").cast(bars.frame["time"].dtype))


def _said(
    connection: Any,
    loaded: Loaded,
    path: str,
    rows: int,
    what: str,
    said: list[str],
    merged: merging.Merged,
    now: datetime.datetime,
) -> None:
    loaded.count(merged)
    counts = [f"{rows:,} {what}", f"{merged.added:,} new"]
    counts += [
        f"{count:,} {word}" for count, word in ((merged.filled, "completed"), (merged.revised, "revised")) if count
    ]
    loaded.said.append(f"{path}: {'; '.join([*said, ', '.join(counts)])}")
    connection.execute("INSERT INTO loads VALUES (?, ?, ?, ?, ?, ?, ?)", [path, rows, *merged, "; ".join(said), now])


def _calendar(connection: Any, exchange: str | None, time_zone: str | None) -> None:
    known = meta(connection)
    if "calendar" in known:
        if exchange not in (None, known["calendar"]):
            raise InputError(f"--calendar: the store has {known['calendar']}, not {exchange}; leave the option away")
        return
    name = exchange or CALENDAR
    remember(connection, "calendar", name)
    zone = time_zone or (calendar.zone_of(name) if name != calendar.NONE else None)
    if zone:
        remember(connection, "time_zone", zone)


def _sessions(connection: Any, files: list[Bars], loaded: Loaded) -> None:
    """Keep sessions for all bars, and list those that the loaded bars lack or have too much."""
    known = meta(connection)
    if known["calendar"] == calendar.NONE or not files:
        return
    first, last = connection.execute("SELECT min(time)::DATE, max(time)::DATE FROM bars").fetchall()[0]
    have = connection.execute("SELECT min(time), max(time) FROM sessions").fetchall()[0]
    if have[0] is None or have[0] > first + datetime.timedelta(14) or have[1] < last:
        found = calendar.sessions_between(known["calendar"], first, calendar.ahead(last))
        connection.register("incoming", pl.DataFrame({"time": found}).to_arrow())
        connection.execute("DELETE FROM sessions")
        connection.execute("INSERT INTO sessions SELECT time FROM incoming")
        connection.unregister("incoming")
    sessions = frame(connection, "SELECT time FROM sessions ORDER BY ALL")["time"].to_numpy().astype("datetime64[D]")
    for bars in files:
        before = _before(connection, bars)
        own = bars.frame.select("symbol", "time")
        own = own if before is None else pl.concat([before.select("symbol", "time"), own])
        loaded.faults += calendar.session_faults(own, sessions, known["calendar"], known.get("time_zone"))
