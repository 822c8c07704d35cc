"""The report: what was traded, who did how well, and how sure that is, for a reader who knows neither the code nor the market.

It is made from a backtest's folder and nothing else.
"""

from pathlib import Path
from typing import Any

import polars as pl

from backtest import detail, figures, folder, page, snapshot_report, words
from backtest.glossary import GLOSSARY
from lobjax.errors import InputError
from lobjax.files import whole_file
from lobjax.results import Comparison, load, save_figures, style
from lobjax.results.intervals import Interval
from lobjax.results.saving import EPISODES, PATHS
from lobjax.results.tables import decimals, plus_minus


def write_report(path: Path) -> Path:
    """Draw the figures and write report.html, both into the folder; returns its path. InputError where files are missing."""
    about, comparison = folder.read_run(path), load(path)
    try:
        episodes, paths = pl.read_parquet(path / EPISODES), pl.read_parquet(path / PATHS)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path}: not a whole backtest ({str(error).splitlines()[0]}); run it again") from None
    save_figures(comparison, path)
    if about["task"] == "snapshot":
        snapshot_report.draw(path, paths, comparison, about)
        title, sections = (
            snapshot_report.title(about),
            snapshot_report.sections(path, about, comparison, _table(comparison)),
        )
    else:
        _draw(path, about, episodes, paths)
        title, sections = words.title(about), _sections(path / folder.FIGURES, about, comparison)
    text = page.page(title, sections)
    with whole_file(path / folder.REPORT) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path / folder.REPORT


def _draw(path: Path, about: dict[str, Any], episodes: pl.DataFrame, paths: pl.DataFrame) -> None:
    task, drawn = about["backtest"]["env"]["task"], path / folder.FIGURES
    parent = task["lots"] if task["kind"] == "execution" else 0
    label = "lots left" if parent else "position, lots"
    trace = folder.read_trace(path)
    style.write(figures.inventory(paths, task["step_s"], label), drawn / "inventory.png")
    style.write(detail.episode(trace, parent), drawn / "episode.png")
    style.write(detail.depth_map(trace), drawn / "depth.png")
    recorded = about["backtest"]["env"]["flow"]["kind"] == "recorded"
    window_s = task["step_s"] * task["decisions"]
    market = figures.by_clock(episodes, window_s) if recorded else figures.by_decision(paths, task["step_s"])
    style.write(market, drawn / "market.png")


def _sections(drawn: Path, about: dict[str, Any], comparison: Comparison) -> list[str]:
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
            page.image(drawn / "differences.png", f"Paired differences in {figure.label}, with 95% intervals."),
        ]
    sections += [
        page.heading("How the episodes were spread"),
        page.image(
            drawn / "distributions.png",
            f"{figure.label.capitalize()} of every episode, player by player, on one scale.",
        ),
        page.heading("Positions over time"),
        page.image(drawn / "inventory.png", words.inventory_caption(about)),
        page.heading("One episode in detail"),
        page.paragraph(words.detail(about, comparison)),
        page.image(drawn / "episode.png", words.episode_caption(about)),
        page.image(
            drawn / "depth.png",
            "The order book in the same episode: how much rests at each price, darker where there is more.",
        ),
        page.heading("The market meanwhile"),
        page.image(drawn / "market.png", words.market_caption(about, comparison)),
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
