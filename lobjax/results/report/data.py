"""What a report is made of."""

from typing import Any, NamedTuple

import polars as pl

from lobjax.results.comparison import Comparison


class ReportData(NamedTuple):
    """A backtest's folder, read and checked."""

    about: dict[str, Any]  # run.json
    comparison: Comparison
    paths: pl.DataFrame  # by player, quantity and decision
    own: Any  # what the task's report reads beside
