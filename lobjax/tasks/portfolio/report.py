"""The report of portfolios over episodes, from a backtest's folder and nothing else."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lobjax.results import Comparison, style
from lobjax.results.report import figures, page
from lobjax.results.report.data import ReportData
from lobjax.results.report.glossary import GLOSSARY
from lobjax.results.report.table import results_table
from lobjax.tasks import sentences
from lobjax.tasks.words import Words


@dataclass(frozen=True)
class PortfolioReport:
    """A `lobjax.tasks.Report`: results, paired differences, how much was invested."""

    words: Words

    def prepare(self, policy: Path | None) -> None:
        """Nothing."""

    def leave(self, folder: Path, comparison: Comparison, prepared: None) -> None:
        """No files beside those of every backtest."""

    def read(self, folder: Path, about: dict[str, Any], comparison: Comparison) -> None:
        """Nothing more."""

    def pictures(self, told: ReportData) -> dict[str, bytes]:
        """The figure beside those of every comparison, as PNG."""
        step_s = 1.0  # sessions
        return {"inventory.png": style.png(figures.inventory(told.paths, step_s, self.words.held_label))}

    def page(self, told: ReportData, pictures: dict[str, bytes]) -> str:
        """Title, sections."""
        return page.page("Portfolios", _sections(pictures, told.about, told.comparison, self.words))


def _sections(pictures: dict[str, bytes], about: dict[str, Any], comparison: Comparison, words: Words) -> list[str]:
    first, task = comparison.first, about["backtest"]["env"]["task"]
    found = [
        "<h1>Portfolios</h1>",
        page.paragraph(sentences.subtitle(about, comparison), soft=True),
        page.box(comparison.verdicts() or [f"{first} played alone; there is nobody to compare it with."]),
        page.box([f"Warning: {w}." for w in comparison.warnings()], warn=True),
        page.heading("What was traded"),
        page.paragraph(words.job(task)),
        page.facts(
            [
                ("prices", str(task["prices"] or "made up")),
                ("cost", task["cost"]),
                ("dates", f"{task['since']} to {task['until']}"),
            ]
        ),
        page.heading("Results"),
        page.paragraph("Means over episodes, each with its 95% interval in brackets."),
        results_table(comparison),
        page.facts([(f"{m.label}, {m.unit}" if m.unit else m.label, m.meaning) for m in comparison.metrics]),
    ]
    if comparison.others:
        caption = "Paired differences in log growth, with 95% intervals. Episodes of one market share its mood: intervals are too narrow."
        found += [page.heading(f"Is {first} better?"), page.image(pictures["differences.png"], caption)]
    return [
        *found,
        page.heading("How the episodes were spread"),
        page.image(pictures["distributions.png"], "Log growth of every episode, player by player, on one scale."),
        page.heading("What was invested"),
        page.image(pictures["inventory.png"], sentences.inventory_caption(words)),
        page.heading("Words"),
        page.glossary({word: GLOSSARY[word] for word in ("95% interval", "paired difference")} | dict(words.glossary)),
        page.heading("Where this comes from"),
        page.facts(sentences.provenance(about), code=True),
    ]
