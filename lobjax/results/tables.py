"""A comparison as a table on a terminal."""

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from lobjax.display import printable
from lobjax.results.comparison import Comparison
from lobjax.results.intervals import Interval

WIDTH_WITHOUT_TERMINAL = 160


def table(comparison: Comparison) -> Table:
    """Figures by player with the half-width of their 95% interval; the first player's advantage over each other one last."""
    title = f"{comparison.count} episodes of {comparison.task}, mean ± half of the 95% interval"
    made = Table(title=title, title_justify="left", header_style="bold")
    made.add_column("")
    for player in comparison.players:
        made.add_column(Text(printable(player)), justify="right", overflow="fold")
    for metric in comparison.metrics:
        means = [comparison.mean(player, metric.name) for player in comparison.players]
        made.add_row(f"{metric.label}, {metric.unit}", *map(plus_minus, means))
    if comparison.others:
        made.add_section()
        gaps = [plus_minus(comparison.advantage(other), sign=True) for other in comparison.others]
        first = Text(f"advantage of {printable(comparison.first)}, {comparison.headline.unit}")  # a name is no markup
        made.add_row(first, "", *gaps, style="bold")
    return made


def summary(comparison: Comparison) -> Group:
    """The table, then in words who beat whom, then what a reader should know before believing it."""
    lines = [Text(f"- {printable(sentence)}") for sentence in comparison.verdicts()]
    lines += [Text(f"warning: {printable(sentence)}", style="yellow") for sentence in comparison.warnings()]
    return Group(table(comparison), *lines)


def show(comparison: Comparison) -> None:
    """Print the summary on standard output."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH_WITHOUT_TERMINAL)
    console.print(summary(comparison))


def plus_minus(figure: Interval, *, sign: bool = False) -> str:
    """'0.123 ± 0.045', with digits that suit the half-width."""
    digits = decimals(figure)
    return f"{figure.mean:{'+' if sign else ''}.{digits}f} ± {figure.half:.{digits}f}"


def decimals(figure: Interval) -> int:
    """Digits after the point that show the interval's half-width to two places, between 0 and 4."""
    half = figure.half
    if not 0 < half < float("inf"):
        return 3
    digits = 0
    while half < 10 and digits < 4:
        half, digits = half * 10, digits + 1
    return digits
