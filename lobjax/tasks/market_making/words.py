"""What a report says of market making."""

from collections.abc import Mapping
from typing import Any

from lobjax.tasks.words import Words, number


def _job(task: Mapping[str, Any]) -> str:
    length = number(task["decisions"] * task["step_s"])
    return (
        f"In each episode of {length} seconds a player offers to buy and to sell {task['quote_lots']} lots, and every "
        f"{number(task['step_s'])} seconds chooses anew how far from the best prices. It may hold at most "
        f"{task['inventory_limit_lots']} lots, long or short. At the end the venue closes its position at market."
    )


def _prices(task: Mapping[str, Any]) -> str:
    offsets = ", ".join(f"{tick:+d}" for tick in task["offsets_ticks"])
    return f"{offsets} ticks behind the best price of each side"


WORDS = Words(title="Market making", job=_job, prices=_prices)
