"""The report of a snapshot trader: the result viewer. Made from a backtest's folder and nothing else, as `backtest.report`."""

from pathlib import Path
from typing import Any

import polars as pl

from backtest import figures, page, snapshot_figures, words
from backtest.glossary import GLOSSARY
from backtest.snapshot_figures import Ratio
from backtest.snapshot_folder import Paths
from lobjax.results import Comparison, style

_WORDS = ("lot", "tick", "order book", "best bid, best ask", "spread", "mid", "95% interval", "paired difference")
_OWN_WORDS = {
    "snapshot": "What an order book shows at one moment: prices and sizes, level by level.",
    "liquidation value": "Cash plus what the position would fetch if it were traded away at once against the visible book, fees paid.",
    "buy_and_hold, sell_and_hold": "Buy, or sell short, as much as the limits allow at the first snapshot, then hold to the end.",
    "Sharpe ratio": "Mean profit of an episode over its standard deviation from episode to episode. Not annualised: episodes of one "
    "day say nothing of a year.",
    "basis point": "A hundredth of a percent, here of the cash at the start of an episode.",
}


def pictures(
    about: dict[str, Any],
    comparison: Comparison,
    by_decision: pl.DataFrame,
    paths: Paths,
    curves: dict[str, list[float | None]],
) -> dict[str, bytes]:
    """The figures beside those of every comparison, as PNG by name."""
    drawn = {
        "inventory.png": figures.inventory(by_decision, about["backtest"]["env"]["task"]["step_s"], "position, lots"),
        "profit.png": snapshot_figures.profit(paths),
        "episode.png": snapshot_figures.episode(paths, about["detail"]["episode"]),
        "sharpe.png": snapshot_figures.sharpe_bars(snapshot_figures.sharpes(comparison)),
    }
    if curves:
        drawn["losses.png"] = snapshot_figures.losses(curves)
    return {name: style.png(figure) for name, figure in drawn.items()}


def sections(pictures: dict[str, bytes], about: dict[str, Any], comparison: Comparison, table: str) -> list[str]:
    """The page, section by section; `table` is that of the results."""
    first, figure = comparison.first, comparison.headline
    found = [
        f"<h1>{page.escape(title(about))}</h1>",
        page.paragraph(words.subtitle(about, comparison), soft=True),
        page.box(comparison.verdicts() or [f"{first} played alone; there is nobody to compare it with."]),
        page.box([f"Warning: {w}." for w in [*comparison.warnings(), *_idle(comparison)]], warn=True),
        page.heading("What was traded"),
        *map(page.paragraph, what_was_traded(about)),
        page.facts(_facts(about)),
        page.heading("Results"),
        page.paragraph("Means over episodes, each with its 95% interval in brackets."),
        table,
        page.facts([(f"{m.label}, {m.unit}", m.meaning) for m in comparison.metrics]),
        page.heading("Profit through the day"),
        page.image(pictures["profit.png"], "Profit of successive episodes added up, by the time at which each ends."),
        page.heading("Sharpe ratio"),
        page.image(pictures["sharpe.png"], _ratios(snapshot_figures.sharpes(comparison))),
    ]
    if comparison.others:
        caption = f"Paired differences in {figure.label}, with 95% intervals. {words.independence(about)}"
        found += [page.heading(f"Is {first} better?"), page.image(pictures["differences.png"], caption)]
    detail = f"Episode {about['detail']['episode']}, in which the profit of {first} was nearest to its median."
    found += [
        page.heading("How the episodes were spread"),
        page.image(pictures["distributions.png"], "Profit of every episode, player by player, on one scale."),
        page.heading("Positions over time"),
        page.image(pictures["inventory.png"], words.inventory_caption(about)),
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
        page.facts(words.provenance(about), code=True),
    ]
    return found


def title(about: dict[str, Any]) -> str:
    """What was done where, in a line."""
    return f"Trading snapshots of a recorded day ({Path(about['backtest']['env']['flow']['path']).name})"


def what_was_traded(about: dict[str, Any]) -> list[str]:
    """The task and its rules, in sentences."""
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
