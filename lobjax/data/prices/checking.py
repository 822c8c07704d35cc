"""All checks of the bars of one file, and the repairs that were asked for."""

from typing import TYPE_CHECKING, NamedTuple

from lobjax.data.prices.actions import actions_of
from lobjax.data.prices.dividends import check_dividends
from lobjax.data.prices.faults import REPAIRS, Fault
from lobjax.data.prices.form_checks import text_of
from lobjax.data.prices.quality import quality
from lobjax.data.prices.reader import Bars, Choices

if TYPE_CHECKING:
    import polars as pl


class Checked(NamedTuple):
    """Faults that were not repaired, bars with the repairs made, and the actions that the bars' own columns tell."""

    faults: list[Fault]
    frame: "pl.DataFrame"
    actions: "pl.DataFrame"


def checked(bars: Bars, known: "pl.DataFrame", choices: Choices, before: "pl.DataFrame | None" = None) -> Checked:
    """The bars of a file whose basis is settled, and which is not refused for its form; repairs are said.

    `known`: actions beside the file's own. `before`: the last bar of each symbol before them, on their basis.
    """
    import polars as pl

    frame = bars.frame
    if before is not None:
        frame = pl.concat([before, frame], how="diagonal").sort("symbol", "time")
        frame = frame.with_columns(
            pl.col(name).fill_null(value) for name, value in _NO_ACTION.items() if name in frame.columns
        )
    paid, repaired = check_dividends(frame, bars.basis)
    frame = repaired if "dividends" in choices.repair else frame
    meant = actions_of(repaired, bars.basis)  # jumps are judged by what the dividend should be
    every = pl.concat([known.select(meant.columns), meant]).unique(
        ["symbol", "time", "kind"], keep="last", maintain_order=True
    )
    found, fixed = quality(frame, every, bars.basis, choices.repair)
    actions = actions_of(fixed, bars.basis)
    if before is not None:
        fixed = fixed.filter(pl.col("row").is_not_null())
        dates = dict(zip(before["symbol"], text_of(before["time"]), strict=True))
        found = [fault for fault in found if fault.last > dates.get(fault.symbol, "")]
    faults = [*bars.faults, *paid, *found]
    wanted = {REPAIRS[word] for word in choices.repair}
    made = [fault for fault in faults if fault.name in wanted and fault.option]
    bars.said += [
        f"repaired {fault.name} of {fault.symbol} {fault.first} ({fault.count:,}): {fault.repair}" for fault in made
    ]
    return Checked([fault for fault in faults if fault not in made], fixed, actions)


_NO_ACTION = {"split": 1.0, "dividend": 0.0}
