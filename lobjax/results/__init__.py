"""Results: players compared on common random numbers, with intervals, as a table, files and figures."""

from lobjax.results.comparison import Comparison, compare
from lobjax.results.figures import save_figures
from lobjax.results.intervals import Interval, interval
from lobjax.results.loading import load
from lobjax.results.saving import evaluation, save
from lobjax.results.tables import show, summary, table

__all__ = [
    "Comparison",
    "Interval",
    "compare",
    "evaluation",
    "interval",
    "load",
    "save",
    "save_figures",
    "show",
    "summary",
    "table",
]
