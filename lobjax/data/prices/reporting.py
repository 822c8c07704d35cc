"""The quality report of a store, or of files before they are loaded, as lines and as a table."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from lobjax.data.prices import calendar
from lobjax.data.prices.actions import actions_of, by_segments, read_actions, read_segments
from lobjax.data.prices.basis import settle
from lobjax.data.prices.checking import checked
from lobjax.data.prices.database import is_store
from lobjax.data.prices.faults import ACCEPTED, Fault
from lobjax.data.prices.formats import AUTO, expand, read
from lobjax.data.prices.reader import Choices
from lobjax.data.prices.store_faults import store_faults
from lobjax.errors import InputError

_MOST_LINES = 30  # of a fault that is as common


def report(
    paths: Sequence[Path],
    *,
    actions: Path | None = None,
    segments: Path | None = None,
    exchange: str | None = None,
    format: str = AUTO,
    choices: Choices | None = None,
) -> tuple[list[Fault], list[str]]:
    """All faults of a store or of files, none repaired; and what is to be said of the files. InputError where a file cannot be read."""
    if len(paths) == 1 and is_store(paths[0]):
        if actions or segments or exchange:
            raise InputError(f"{paths[0]}: a store has its own actions, tickers and calendar; leave the options away")
        return store_faults(paths[0]), []
    faults: list[Fault] = []
    said: list[str] = []
    known = read_actions(actions) if actions is not None else actions_of(pl.DataFrame())
    choices = choices or Choices()
    for path in expand(tuple(paths)):
        bars = read(path, choices, format)
        if segments is not None:
            bars.frame, _ = by_segments(bars.frame, read_segments(segments))
        try:
            settle(bars, choices.prices, known)
        except InputError as error:
            said.append(str(error))
        faults += checked(bars, known, choices).faults
        said.append(f"{bars.path}: {'; '.join(bars.said)}")
        if exchange not in (None, calendar.NONE) and bars.frame.height:
            days = bars.frame["time"].cast(pl.Date)
            first, last = days.min(), days.max()
            sessions = calendar.sessions_between(str(exchange), first, last)  # type: ignore[arg-type]
            zone = calendar.zone_of(str(exchange))
            faults += calendar.session_faults(bars.frame, sessions, str(exchange), zone)
    return faults, said


def lines(faults: Sequence[Fault]) -> list[str]:
    """The report as text: how many of what, then each, of a common fault the first few."""
    if not faults:
        return ["no faults found"]
    bars = Counter[str]()
    for fault in faults:
        bars[fault.name] += fault.count
    width = max(map(len, bars))
    out = [f"{name:<{width}}  {count:,} bars" for name, count in sorted(bars.items())]
    out.append("")
    shown = Counter[str]()
    for fault in faults:
        shown[fault.name] += 1
        if shown[fault.name] <= _MOST_LINES:
            out.append(fault.line())
    out += [
        f"... and {count - _MOST_LINES:,} more of '{name}' (--out writes all)"
        for name, count in shown.items()
        if count > _MOST_LINES
    ]
    certain = sorted({fault.option for fault in faults if fault.option})
    if certain:
        options = " ".join(f"--repair {word}" for word in certain)
        out += [
            "",
            f"repairs that are certain: {options}; nothing is repaired unless `prices build` or `update` is told so",
        ]
    if any(fault.name in ACCEPTED.values() for fault in faults):
        out.append(
            "bars whose high or low is outside are refused when loaded, unless --accept range takes them as they are"
        )
    return out
