"""What a report says of optimal execution."""

from collections.abc import Mapping
from typing import Any

from lobjax.tasks.words import Facts, Words, number


def _job(task: Mapping[str, Any]) -> str:
    length = number(task["decisions"] * task["step_s"])
    return (
        f"Each episode begins with an order to {task['side']} {task['lots']} lots within {length} seconds. Every "
        f"{number(task['step_s'])} seconds, {task['decisions']} times in all, a player decides how much to trade at once, how much to "
        "leave waiting in the order book and at which prices, and how much to hold back. When time is up, the venue cancels what is "
        "still waiting and trades the rest at whatever price is there."
    )


def _prices(task: Mapping[str, Any]) -> str:
    offsets = ", ".join(f"{tick:+d}" for tick in task["offsets_ticks"])
    anchor = {"opposite": "the best price of the other side", "same": "the best price of the own side"}[
        task["reference"]
    ]
    return f"{offsets} ticks from {anchor} (away from the other side is positive)"


def _facts(backtest: Mapping[str, Any]) -> Facts:
    profile = backtest["profile"]
    if not profile or profile["kind"] != "recorded":
        return []
    name = profile["path"].rstrip("/").split("/")[-1]
    return [("VWAP's profile", f"measured from {profile['from_time']} to {profile['until_time']} of {name}")]


WORDS = Words(
    title="Execution",
    job=_job,
    prices=_prices,
    facts=_facts,
    held="What is left of the order",
    held_label="lots left",
    parent_lots=lambda task: task["lots"],
)
