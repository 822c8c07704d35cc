"""An evaluated arena as tables for a terminal and as a figure, from its plain numbers."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from backtest.arena.markets import MEASURES
from backtest.arena.seats import FIGURES
from lobjax.display import printable
from lobjax.results import style
from lobjax.results.tables import WIDTH_WITHOUT_TERMINAL

Plain = dict[str, Any]
_MOST_ROWS = 24  # of mixtures that a terminal shows; arena.json has all
_DRAWN = ("spread_ticks", "depth_lots", "volatility_ticks")


def show(found: Plain) -> None:
    """Print all tables on standard output."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH_WITHOUT_TERMINAL)
    console.print(Group(_payoffs(found), _ranking(found), _figures(found), _markets(found), *_without(found)))


def text(estimate: Plain, *, sign: bool = False) -> str:
    """'1.23 [1.10, 1.41]', or a dash for what is not known."""
    value, low, high = estimate["value"], estimate["low"], estimate["high"]
    if value is None:
        return "-"
    width = high - low if high is not None and low is not None else abs(value)
    digits = int(np.clip(1 - np.floor(np.log10(width)) if width > 0 else 0, 0, 4))
    first = f"{value:{'+' if sign else ''}.{digits}f}"
    return first if low is None or high is None else f"{first} [{low:.{digits}f}, {high:.{digits}f}]"


def _table(title: str, *columns: str) -> Table:
    made = Table(title=title, title_justify="left", header_style="bold")
    for at, column in enumerate(columns):
        made.add_column(Text(printable(column)), justify="right" if at else "left", overflow="fold")
    return made


def _payoffs(found: Plain) -> Table:
    groups = list(found["players"])
    made = _table(f"Profit of a seat in ticks, {found['episodes']} episodes, 95% intervals", "mixture", *groups)
    for row in found["payoffs"][:_MOST_ROWS]:
        cells = [
            "\n".join(
                f"{printable(name) + ': ' if len(earned) > 1 else ''}{text(estimate)}"
                for name, estimate in earned.items()
            )
            for earned in row["profit_ticks"].values()
        ]
        made.add_row(Text(printable(row["mixture"])), *map(Text, cells))
    if len(found["payoffs"]) > _MOST_ROWS:
        made.add_row(f"... {len(found['payoffs']) - _MOST_ROWS} more in arena.json")
    return made


def _ranking(found: Plain) -> Table:
    made = _table("Alpha-rank of each group's players", "group", "player", "place", "95% of draws", "mass", "first in")
    for group, players in found["ranking"].items():
        for name, one in sorted(players.items(), key=lambda item: item[1]["place"]):
            made.add_row(
                Text(printable(group)), Text(printable(name)), str(one["place"]), f"{one['place_low']} to {one['place_high']}",
                f"{one['mass']:.3f} [{one['low']:.3f}, {one['high']:.3f}]", f"{one['first']:.1%} of draws",
            )  # fmt: skip
    return made


def _figures(found: Plain) -> Table:
    players = [(group, name) for group, names in found["players"].items() for name in names]
    made = _table("A seat of each player, over all mixtures that it is part of", "", *(f"{g}: {n}" for g, n in players))
    for key, figure in FIGURES.items():
        made.add_row(f"{figure.label}, {figure.unit}", *(text(found["figures"][g][n][key]) for g, n in players))
    return made


def _markets(found: Plain) -> Table:
    venues = found["markets"]
    made = _table(f"Venues in the first mixture ({found['payoffs'][0]['mixture']})", "", *_venue_names(found))
    for key, measure in MEASURES.items():
        made.add_row(f"{measure.label}, {measure.unit}", *(text(venue[key]) for venue in venues))
    for key in [key for key in venues[0] if key not in MEASURES]:
        made.add_row(
            key.removesuffix("_per_episode").replace("_", " ") + ", an episode", *(f"{v[key]:.2f}" for v in venues)
        )
    return made


def _without(found: Plain) -> list[Table]:
    tables = []
    for name, fork in found["without"].items():
        made = _table(f"What {printable(name)} adds: with it less without it, paired", "", *_venue_names(found))
        for key, measure in MEASURES.items():
            made.add_row(f"{measure.label}, {measure.unit}", *(text(venue[key], sign=True) for venue in fork["venues"]))
        for group, difference in fork["profit_ticks_of_others"].items():
            made.add_row(f"profit of a seat of {printable(group)}, ticks", text(difference, sign=True))
        tables.append(made)
    return tables


def _venue_names(found: Plain) -> list[str]:
    return [f"venue {venue}" for venue in range(len(found["markets"]))]


def picture(found: Plain) -> Figure:
    """Profit of each player with its interval, who ranks where, and what each group adds to its markets."""
    players = [(group, name) for group, names in found["players"].items() for name in names]
    forks = found["without"]
    height = 1.6 + 0.34 * max(len(players), len(_DRAWN) * len(forks))
    drawn = style.figure(13.5, height)
    axes = drawn.subplots(1, 3)
    colours = style.colours(list(found["players"]))
    rows = np.arange(len(players))[::-1]
    names = [style.named(name, before=f"{group}: ", width=34) for group, name in players]
    _points(
        axes[0],
        rows,
        [found["figures"][g][n]["profit_ticks"] for g, n in players],
        [colours[g] for g, _ in players],
        names,
    )
    axes[0].set_xlabel("profit of a seat, ticks")
    ranks = [found["ranking"][g][n] for g, n in players]
    mass = [{"value": one["mass"], "low": one["low"], "high": one["high"]} for one in ranks]
    _points(axes[1], rows, mass, [colours[g] for g, _ in players], None)
    axes[1].set_xlim(-0.03, 1.03)
    axes[1].set_xlabel("alpha-rank mass within its group")
    labels, parts, shades = [], [], []
    for key in _DRAWN:
        for name, fork in forks.items():
            venue = found["venue_of"][name]
            usual, change = found["markets"][venue][key]["value"], fork["venues"][venue][key]
            labels.append(style.named(name, before=f"{MEASURES[key].label}: ", width=34))
            parts.append({k: None if x is None or not usual else 100 * x / usual for k, x in change.items()})
            shades.append(colours[name])
    _points(axes[2], np.arange(len(parts))[::-1], parts, shades, labels)
    axes[2].set_xlabel("at its venue, % of what is usual")
    for axis, title in zip(axes, ("What they earn", "Who ranks where", "What each group adds"), strict=True):
        axis.set_title(title, loc="left", fontsize=11, color=style.INK)
    return drawn


def _points(axes: Any, rows: np.ndarray, estimates: list[Plain], colours: list[str], names: list[str] | None) -> None:
    """Values as dots with their intervals; what is not known is left out."""
    style.quiet(axes, grid="x")
    axes.axvline(0, color=style.GREY, linewidth=0.8)
    for row, one, colour in zip(rows, estimates, colours, strict=True):
        if one["value"] is None:
            continue
        if one["low"] is not None:
            axes.plot([one["low"], one["high"]], [row, row], color=colour, linewidth=2.2, solid_capstyle="butt")
        axes.plot([one["value"]], [row], "o", color=colour, markersize=5)
    axes.set_yticks(rows, names if names is not None else [""] * len(rows), fontsize=8.5)
    axes.set_ylim(-0.7, max(len(rows), 1) - 0.3)
