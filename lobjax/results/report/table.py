"""The results of a comparison as the page's table."""

from lobjax.results.comparison import Comparison
from lobjax.results.intervals import Interval
from lobjax.results.report import page
from lobjax.results.tables import decimals, plus_minus


def results_table(comparison: Comparison) -> str:
    """Means with their intervals, player by player; the paired advantage of the first last."""
    rows = [
        [(f"{m.label}, {m.unit}", ""), *(_cell(comparison.mean(player, m.name)) for player in comparison.players)]
        for m in comparison.metrics
    ]
    gaps = [(plus_minus(comparison.advantage(other), sign=True), "") for other in comparison.others]
    if gaps:
        rows.append([(f"advantage of {comparison.first}, paired", ""), ("", ""), *gaps])
    return page.table("Results, player by player", ["", *comparison.players], rows, strong_last=bool(gaps))


def _cell(figure: Interval) -> tuple[str, str]:
    digits = decimals(figure)
    return f"{figure.mean:.{digits}f}", f"({figure.low:.{digits}f} to {figure.high:.{digits}f})"
