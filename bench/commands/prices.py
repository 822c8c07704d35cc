"""`python -m bench prices`: seconds to build a store of prices from CSV, and to add a day."""

from pathlib import Path
from typing import Annotated

from bench import recording
from lobjax.ranges import Range, ranged


@ranged
def prices(
    *,
    panel: Path | None = None,
    actions: Path | None = None,
    symbols: Annotated[int, Range(1, 10_000)] = 15,
    years: Annotated[int, Range(1, 50)] = 14,
    runs: Annotated[int, Range(1, 1000)] = 5,
    out: Path | None = None,
) -> None:
    """Measure building a store and adding a day to it, one record.

    Args:
        panel: A CSV `date,symbol,open,high,low,close,volume` of raw daily bars; without one it is made up.
        actions: A CSV of its splits and dividends.
        symbols: Of a made-up panel.
        years: Of a made-up panel.
        runs: Of which the record has the median, the least and the most; 5 or more.
        out: A file of JSON lines that the record is added to.
    """
    recording.check_out(out)
    recording.check_runs(runs)
    from bench.speed import prices as work

    recording.append(out, work.measure(panel, actions, symbols, years, runs))
