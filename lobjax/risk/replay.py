"""The circuit breaker over recorded ticks: what state each of them would have found."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lobjax.errors import InputError
from lobjax.reading import read_csv
from lobjax.risk.breaker import BreakerConfig, Reason, State, Tick, start, step

COLUMNS = ("time", "equity", "session", "data_age", "errors")


class Seen(NamedTuple):
    """The breaker at a tick. `reason` of the halt that it is in or recovers from."""

    time: float
    state: State
    reason: Reason
    trips: int


def replay(config: BreakerConfig, ticks: Sequence[Tick]) -> list[Seen]:
    """The breaker after each tick, before its orders. Sessions may be of any kind; numbers are taken in float64.

    InputError where a time is before the one before it.
    """
    names: dict[Any, int] = {}
    seen: list[Seen] = []
    breaker = None
    for at, tick in enumerate(ticks):
        tick = tick._replace(session=names.setdefault(tick.session, len(names)))
        if seen and not tick.time >= seen[-1].time:
            raise InputError(f"tick {at}: time {tick.time:g} is before {seen[-1].time:g}; sort the ticks by time")
        breaker = step(config, breaker or start(tick), tick)
        seen.append(Seen(float(tick.time), State(int(breaker.state)), Reason(int(breaker.reason)), int(breaker.trips)))
    return seen


def read_ticks(path: str | Path) -> list[Tick]:
    """Ticks from a CSV with the columns `COLUMNS`, in any order; a session is any text. InputError names the line of what is wrong."""
    rows = read_csv(path, advice=f"give a CSV file with the columns {', '.join(COLUMNS)}")
    places = {name: rows.column(name) for name in COLUMNS}
    values = {name: rows.numbers(place) for name, place in places.items() if name != "session"}
    sessions = [cells[places["session"]].strip() for _, cells in rows.rows]
    lines = [line for line, _ in rows.rows]
    _check(path, lines, values)
    columns: Iterable = (values["time"], values["equity"], sessions, values["data_age"], values["errors"])
    return [Tick(*row) for row in zip(*columns, strict=True)]


def _check(path: str | Path, lines: list[int], values: dict[str, list[float]]) -> None:
    for i, line in enumerate(lines):
        if i and values["time"][i] < values["time"][i - 1]:
            raise InputError(f"{path}: line {line}: time {values['time'][i]:g} is before the line before; sort by time")
        for name in ("data_age", "errors"):
            if values[name][i] < 0:
                raise InputError(f"{path}: line {line}: {name} {values[name][i]:g} is negative; mend the row")
