"""The report of a task in a market of messages, from a backtest's folder and nothing else."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lobjax.errors import InputError
from lobjax.results import Comparison, style
from lobjax.results.report import detail, figures, page
from lobjax.results.report.data import ReportData
from lobjax.results.report.glossary import GLOSSARY
from lobjax.results.report.table import results_table
from lobjax.results.report.traces import AGAIN, TRACE, read_trace
from lobjax.tasks import sentences
from lobjax.tasks.words import Words
from lobjax.trace import Trace


@dataclass(frozen=True)
class MarketReport:
    """A `lobjax.tasks.Report`: positions, one episode with the book order by order, the market meanwhile."""

    words: Words

    def prepare(self, policy: Path | None) -> None:
        """Nothing."""

    def leave(self, folder: Path, comparison: Comparison, prepared: None) -> None:
        """No files beside those of every backtest."""

    def read(self, folder: Path, about: dict[str, Any], comparison: Comparison) -> Trace:
        """The episode in detail."""
        backtest, trace = about["backtest"], read_trace(folder)
        if len(trace.time_s) > backtest["env"]["task"]["decisions"] * backtest["samples_per_decision"] + 1:
            raise InputError(f"{folder / TRACE}: more samples than run.json says; {AGAIN}")
        return trace

    def pictures(self, told: ReportData) -> dict[str, bytes]:
        """The figures beside those of every comparison, as PNG by name."""
        env = told.about["backtest"]["env"]
        task = env["task"]
        if env["flow"]["kind"] == "recorded":
            market = figures.by_clock(told.comparison, task["step_s"] * task["decisions"])
        else:
            market = figures.by_decision(told.paths, task["step_s"])
        drawn = {
            "inventory.png": figures.inventory(told.paths, task["step_s"], self.words.held_label),
            "episode.png": detail.episode(told.own, self.words.parent_lots(task)),
            "depth.png": detail.depth_map(told.own),
            "market.png": market,
        }
        return {name: style.png(figure) for name, figure in drawn.items()}

    def page(self, told: ReportData, pictures: dict[str, bytes]) -> str:
        """Title, sections."""
        about = told.about
        return page.page(sentences.title(about, self.words), _sections(pictures, about, told.comparison, self.words))


def _sections(pictures: dict[str, bytes], about: dict[str, Any], comparison: Comparison, words: Words) -> list[str]:
    first, figure = comparison.first, comparison.headline
    sections = [
        f"<h1>{page.escape(sentences.title(about, words))}</h1>",
        page.paragraph(sentences.subtitle(about, comparison), soft=True),
        page.box(comparison.verdicts() or [f"{first} played alone; there is nobody to compare it with."]),
        page.box([f"Warning: {w}." for w in comparison.warnings()], warn=True),
        page.heading("What was traded"),
        *map(page.paragraph, sentences.what_was_traded(about, words)),
        page.facts(sentences.market_facts(about, words)),
        page.heading("Results"),
        page.paragraph("Means over episodes, each with its 95% interval in brackets."),
        results_table(comparison),
        page.facts([(f"{m.label}, {m.unit}", m.meaning) for m in comparison.metrics]),
    ]
    if comparison.others:
        sections += [
            page.heading(f"Is {first} better?"),
            page.paragraph(
                f"Every player met the same episodes, so {first} is compared with each other player episode by episode: luck that both "
                f"share cancels. An interval that lies wholly right of zero says that {first} is better, one wholly left of zero that it "
                "is worse; one that contains zero says that these episodes do not tell. "
                + sentences.independence(about)
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
        page.image(pictures["inventory.png"], sentences.inventory_caption(words)),
        page.heading("One episode in detail"),
        page.paragraph(sentences.detail(about, comparison)),
        page.image(pictures["episode.png"], sentences.episode_caption(words)),
        page.image(
            pictures["depth.png"],
            "The order book in the same episode: how much rests at each price, darker where there is more.",
        ),
        page.heading("The market meanwhile"),
        page.image(pictures["market.png"], sentences.market_caption(about, comparison)),
        page.heading("Words"),
        page.glossary({**GLOSSARY, **words.glossary}),
        page.heading("Where this comes from"),
        page.facts(sentences.provenance(about), code=True),
    ]
    return sections
