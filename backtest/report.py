"""The report: what was traded, who did how well, and how sure that is, for a reader who knows neither the code nor the market.

It is made from a backtest's folder and nothing else.
"""

from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from backtest import detail, figures, folder, page, snapshot_folder, snapshot_report, words
from backtest.glossary import GLOSSARY
from lobjax.errors import InputError
from lobjax.files import whole_file
from lobjax.results import Comparison, load, style
from lobjax.results import figures as results
from lobjax.results.intervals import Interval
from lobjax.results.loading import load_paths
from lobjax.results.tables import decimals, plus_minus
from lobjax.trace import Trace

MOST_PLAYERS = 32


class Read(NamedTuple):
    """A backtest's folder, read and checked: of a snapshot trader its episodes and curves, of others the episode in detail."""

    about: dict[str, Any]
    comparison: Comparison
    paths: pl.DataFrame
    trace: Trace | None
    snapshots: snapshot_folder.Paths | None
    curves: dict[str, list[float | None]]


def read(path: Path) -> Read:
    """All that a report is made of; InputError where files are missing, damaged or do not agree."""
    about, comparison = folder.read_run(path), load(path)
    backtest, episode = about["backtest"], about["detail"]["episode"]
    decisions, count = backtest["env"]["task"]["decisions"], comparison.count
    wrong = None
    if comparison.task != about["task"]:
        wrong = f"an evaluation of {comparison.task} beside a backtest of {about['task']}"
    elif len(comparison.players) > MOST_PLAYERS:
        wrong = f"{len(comparison.players)} players, and a report shows at most {MOST_PLAYERS}"
    elif not 0 <= episode < count:
        wrong = f"{folder.RUN} names episode {episode} of {count}"
    elif (
        backtest["env"]["flow"]["kind"] == "recorded"
        and not set(figures.BY_CLOCK) <= comparison.figures[comparison.first].keys()
    ):
        wrong = f"the flow is recorded, but the episodes have not all of {', '.join(figures.BY_CLOCK)}"
    if wrong:
        raise InputError(f"{path}: {wrong}; {folder.AGAIN}")
    paths = load_paths(path, comparison.players)
    if (last := paths["decision"].max()) != decisions:
        raise InputError(f"{path}: paths of {last} decisions, {folder.RUN} says {decisions}; {folder.AGAIN}")
    if about["task"] == "snapshot":
        snapshots, curves = snapshot_folder.read_paths(path, comparison, decisions), snapshot_folder.read_curves(path)
        return Read(about, comparison, paths, None, snapshots, curves)
    trace = folder.read_trace(path)
    if len(trace.time_s) > decisions * backtest["looks"] + 1:
        raise InputError(f"{path / folder.TRACE}: more looks than {folder.RUN} says; {folder.AGAIN}")
    return Read(about, comparison, paths, trace, None, {})


def write_report(path: Path) -> Path:
    """Draw the figures and write report.html, both into the folder; returns its path.

    InputError where files are missing, damaged or do not agree; then what was there before stays.
    """
    found = read(path)
    about, comparison = found.about, found.comparison
    pictures = {**results.pictures(comparison), **_drawn(found)}
    if about["task"] == "snapshot":
        title = snapshot_report.title(about)
        sections = snapshot_report.sections(pictures, about, comparison, _table(comparison))
    else:
        title, sections = words.title(about), _sections(pictures, about, comparison)
    text = page.page(title, sections)
    for name, png in pictures.items():
        style.write(png, path / folder.FIGURES / name)
    with whole_file(path / folder.REPORT) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path / folder.REPORT


def _drawn(found: Read) -> dict[str, bytes]:
    """The figures beside those of every comparison, as PNG by name."""
    about, paths, trace = found.about, found.paths, found.trace
    env = about["backtest"]["env"]
    task = env["task"]
    if found.snapshots is not None:
        return snapshot_report.pictures(about, found.comparison, paths, found.snapshots, found.curves)
    assert trace is not None
    parent = task["lots"] if task["kind"] == "execution" else 0
    label = "lots left" if parent else "position, lots"
    if env["flow"]["kind"] == "recorded":
        market = figures.by_clock(found.comparison, task["step_s"] * task["decisions"])
    else:
        market = figures.by_decision(paths, task["step_s"])
    drawn = {
        "inventory.png": figures.inventory(paths, task["step_s"], label),
        "episode.png": detail.episode(trace, parent),
        "depth.png": detail.depth_map(trace),
        "market.png": market,
    }
    return {name: style.png(figure) for name, figure in drawn.items()}


def _sections(pictures: dict[str, bytes], about: dict[str, Any], comparison: Comparison) -> list[str]:
    first, figure = comparison.first, comparison.headline
    sections = [
        f"<h1>{page.escape(words.title(about))}</h1>",
        page.paragraph(words.subtitle(about, comparison), soft=True),
        page.box(comparison.verdicts() or [f"{first} played alone; there is nobody to compare it with."]),
        page.box([f"Warning: {w}." for w in comparison.warnings()], warn=True),
        page.heading("What was traded"),
        *map(page.paragraph, words.what_was_traded(about)),
        page.facts(words.market_facts(about)),
        page.heading("Results"),
        page.paragraph("Means over episodes, each with its 95% interval in brackets."),
        _table(comparison),
        page.facts([(f"{m.label}, {m.unit}", m.meaning) for m in comparison.metrics]),
    ]
    if comparison.others:
        sections += [
            page.heading(f"Is {first} better?"),
            page.paragraph(
                f"Every player met the same episodes, so {first} is compared with each other player episode by episode: luck that both "
                f"share cancels. An interval that lies wholly right of zero says that {first} is better, one wholly left of zero that it "
                "is worse; one that contains zero says that these episodes do not tell. " + words.independence(about)
            ),
            page.image(pictures["differences.png"], f"Paired differences in {figure.label}, with 95% intervals."),
        ]
    sections += [
        page.heading("How the episodes were spread"),
        page.image(
            pictures["distributions.png"],
            f"{figure.label.capitalize()} of every episode, player by player, on one scale.",
        ),
        page.heading("Positions over time"),
        page.image(pictures["inventory.png"], words.inventory_caption(about)),
        page.heading("One episode in detail"),
        page.paragraph(words.detail(about, comparison)),
        page.image(pictures["episode.png"], words.episode_caption(about)),
        page.image(
            pictures["depth.png"],
            "The order book in the same episode: how much rests at each price, darker where there is more.",
        ),
        page.heading("The market meanwhile"),
        page.image(pictures["market.png"], words.market_caption(about, comparison)),
        page.heading("Words"),
        page.glossary(GLOSSARY),
        page.heading("Where this comes from"),
        page.facts(words.provenance(about), code=True),
    ]
    return sections


def _table(comparison: Comparison) -> str:
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
