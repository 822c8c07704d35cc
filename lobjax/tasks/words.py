"""What a report says of a task in words of its own; the rest it says of every task alike (`lobjax.tasks.sentences`)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Facts = list[tuple[str, str]]


def number(value: float) -> str:
    """A number in a sentence."""
    return f"{value:g}"


def _job(task: Mapping[str, Any]) -> str:
    length = number(task["decisions"] * task["step_s"])
    return f"Each episode lasts {length} seconds; every {number(task['step_s'])} seconds a player decides anew."


@dataclass(frozen=True, kw_only=True)
class Words:
    """Functions take the task's section of the configuration, as plain mappings."""

    title: str = ""  # what is done, as in "Market making"; the task's name if it has none
    job: Callable[[Mapping[str, Any]], str] = _job  # what a player must do, in sentences
    prices: Callable[[Mapping[str, Any]], str] | None = None  # at which it may trade
    facts: Callable[[Mapping[str, Any]], Facts] = lambda backtest: []  # more settings, of the whole backtest
    held: str = "The position"  # what the path `inventory_lots` shows, at the beginning of a sentence
    held_label: str = "position, lots"
    parent_lots: Callable[[Mapping[str, Any]], int] = lambda task: (
        0
    )  # of an order that is worked off; 0 where there is none
    glossary: Mapping[str, str] = field(default_factory=dict)  # further words
