"""The report of a snapshot trader: the result viewer. Made from a backtest's folder and nothing else."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lobjax.errors import InputError
from lobjax.results import Comparison, style
from lobjax.results.report import figures, page
from lobjax.results.report.data import ReportData
from lobjax.results.report.glossary import GLOSSARY
from lobjax.results.report.table import results_table
from lobjax.results.report.traces import AGAIN
from lobjax.tasks import sentences
from lobjax.tasks.snapshot import figures as own_figures
from lobjax.tasks.snapshot import files
from lobjax.tasks.snapshot.figures import Ratio
from lobjax.tasks.words import Words

_WORDS = ("lot", "tick", "order book", "best bid, best ask", "spread", "mid", "95% interval", "paired difference")
_OWN_WORDS = {
    "snapshot": "What an order book shows at one moment: prices and sizes, level by level.",
    "liquidation value": "Cash plus what the position would fetch if it were traded away at once against the visible book, fees paid.",
    "buy_and_hold, sell_and_hold": "Buy, or sell short, as much as the limits allow at the first snapshot, then hold to the end.",
    "Sharpe ratio": "Mean profit of an episode over its standard deviation from episode to episode. Not annualised: episodes of one "
    "day say nothing of a year.",
    "basis point": "A hundredth of a percent, here of the cash at the start of an episode.",
}


Curves = dict[str, list[float | None]]


@dataclass(frozen=True)
class SnapshotReport:
    """A `lobjax.tasks.Report`. Its own files: episodes by decision, and the learning curves of the agent."""

    words: Words

    def prepare(self, policy: Path | None) -> Curves:
        """The agent's learning curves."""
        return files.curves_of(policy)

    def leave(self, folder: Path, comparison: Comparison, prepared: Curves) -> None:
        """Write both files."""
        files.write(folder, comparison, prepared)

    def read(self, folder: Path, about: dict[str, Any], comparison: Comparison) -> tuple[files.Paths, Curves]:
        """Both files."""
        env = about["backtest"]["env"]
        if env["flow"]["kind"] != "recorded":
            raise InputError(f"{folder}: snapshots of a flow that is not recorded; {AGAIN}")
        return files.read_paths(folder, comparison, env["task"]["decisions"]), files.read_curves(folder)

    def pictures(self, told: ReportData) -> dict[str, bytes]:
        """The figures beside those of every comparison, as PNG by name."""
        paths, curves = told.own
        step_s = told.about["backtest"]["env"]["task"]["step_s"]
        drawn = {
            "inventory.png": figures.inventory(told.paths, step_s, self.words.held_label),
            "profit.png": own_figures.profit(paths),
            "episode.png": own_figures.episode(paths, told.about["detail"]["episode"]),
            "sharpe.png": own_figures.sharpe_bars(own_figures.sharpes(told.comparison)),
        }
        if curves:
            drawn["losses.png"] = own_figures.losses(curves)
        return {name: style.png(figure) for name, figure in drawn.items()}

    def page(self, told: ReportData, pictures: dict[str, bytes]) -> str:
        """Title, sections."""
        return page.page(_title(told.about), _sections(pictures, told.about, told.comparison, self.words))


def _sections(pictures: dict[str, bytes], about: dict[str, Any], comparison: Comparison, words: Words) -> list[str]:
    first, figure = comparison.first, comparison.headline
    found = [
        f"<h1>{page.escape(_title(about))}</h1>",
        page.paragraph(sentences.subtitle(about, comparison), soft=True),
        page.box(comparison.verdicts() or [f"{first} played alone; there is nobody to compare it with."]),
        page.box([f"Warning: {w}." for w in [*comparison.warnings(), *_idle(comparison)]], warn=True),
        page.heading("What was traded"),
        *map(page.paragraph, _what_was_traded(about)),
        page.facts(_facts(about)),
        page.heading("Results"),
        page.paragraph("Means over episodes, each with its 95% interval in brackets."),
        results_table(comparison),
        page.facts([(f"{m.label}, {m.unit}", m.meaning) for m in comparison.metrics]),
        page.heading("Profit through the day"),
        page.image(pictures["profit.png"], "Profit of successive episodes added up, by the time at which each ends."),
        page.heading("Sharpe ratio"),
        page.image(pictures["sharpe.png"], _ratios(own_figures.sharpes(comparison))),
    ]
    if comparison.others:
        caption = f"Paired differences in {figure.label}, with 95% intervals. {sentences.independence(about)}"
        found += [page.heading(f"Is {first} better?"), page.image(pictures["differences.png"], caption)]
    detail = f"Episode {about['detail']['episode']}, in which the profit of {first} was nearest to its median."
    found += [
        page.heading("How the episodes were spread"),
        page.image(pictures["distributions.png"], "Profit of every episode, player by player, on one scale."),
        page.heading("Positions over time"),
        page.image(pictures["inventory.png"], sentences.inventory_caption(words)),
        page.heading("One episode in detail"),
        page.image(pictures["episode.png"], f"{detail} Trades of {first} at the mid of the snapshot that it acted on."),
    ]
    if "losses.png" in pictures:
        caption = "Training of the agent. The reward may look ahead within the training hours; nothing else on this page does."
        found += [page.heading("Losses"), page.image(pictures["losses.png"], caption)]
    found += [
        page.heading("Words"),
        page.glossary({word: GLOSSARY[word] for word in _WORDS} | _OWN_WORDS),
        page.heading("Where this comes from"),
        page.facts(sentences.provenance(about), code=True),
    ]
    return found


def _title(about: dict[str, Any]) -> str:
    return f"Trading snapshots of a recorded day ({Path(about['backtest']['env']['flow']['path']).name})"


def _what_was_traded(about: dict[str, Any]) -> list[str]:
    task, flow = about["backtest"]["env"]["task"], about["backtest"]["env"]["flow"]
    when = (
        "the snapshot that the player saw"
        if task["delay_snapshots"] == 0
        else "the snapshot after the one that the player saw"
    )
    return [
        f"Each episode is {task['decisions']} snapshots of the order book, {task['step_s']:g} seconds apart, taken between "
        f"{flow['from_time']} and {flow['until_time']}; episodes do not overlap, and each is played once. At every snapshot a player buys "
        f"or sells up to {task['most_lots']} lots, or holds. It begins with the cash that {task['capital_lots']} lots cost.",
        f"An order trades with the visible levels of {when}; what they do not hold goes on at up to {task['patience']} further snapshots. "
        "The record goes on as it was: what a player took is there again at the next snapshot, and nobody answers, so results "
        "flatter large orders.",
    ]


def _facts(about: dict[str, Any]) -> list[tuple[str, str]]:
    env = about["backtest"]["env"]
    task, fee = env["task"], env["market"]["taker_fee_milliticks"]
    found = [
        ("position", f"at most {task['position_limit_lots']} lots, long or short"),
        ("leverage", f"at most {task['leverage_limit']:g} times the account's worth"),
        ("fees", f"{fee / 1000:g} ticks a lot and {task['fee_bps']} basis points, of what was executed"),
        ("record", env["flow"]["path"]),
    ]
    return [("agent", about["policy"]), *found] if about.get("policy") else found


def _ratios(found: dict[str, Ratio | None]) -> str:
    said = [
        f"{p} {r.value:+.2f} ± {r.half:.2f}" if r else f"{p}: none, its profit never varied" for p, r in found.items()
    ]
    return f"Mean over standard deviation of profit, over episodes: {'; '.join(said)}."


def _idle(comparison: Comparison) -> list[str]:
    """That the first player never trades, where it does not."""
    traded = comparison.mean(comparison.first, "traded_lots")
    return [] if traded.mean > 0 else [f"{comparison.first} never traded: it does nothing"]
