"""Tasks by the kind that a configuration names, and all that the rest of lobjax asks of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from lobjax.env import Environment, EnvParams, Measures
from lobjax.errors import InputError
from lobjax.registry import Registry, kind_of
from lobjax.strategies import ModelsConfig, Strategy
from lobjax.tasks.words import Words

DEFAULT_TASK = "execution"  # of a configuration that names none


@dataclass(frozen=True, kw_only=True)
class Field:
    """Where strategies play: the environment, its numbers, and another one to measure in (None: the environment itself)."""

    env: Environment
    params: EnvParams
    elsewhere: Environment | None
    models: ModelsConfig


Maker = Callable[[Field, tuple[str, ...]], Mapping[str, Strategy]]  # (where, names) -> strategies, in the order named


@dataclass(frozen=True, kw_only=True)
class Strategies:
    """The rule-based strategies of a task. One name may stand for several, as a quoter at each of some offsets: `count` says how many
    play in all, which is asked before they are made."""

    make: Maker = lambda field, names: {}
    count: Callable[[EnvParams, tuple[str, ...]], int] = lambda params, names: len(names)
    names: tuple[str, ...] = ()  # those that play where none is named
    models: tuple[str, ...] = ()  # closed forms: they play only where they are named, as their numbers are to be chosen
    profiled: tuple[str, ...] = ()  # those that want hours of a record that are not traded, to measure in


class Report(Protocol):
    """How a backtest of a task is told. `told` is a `lobjax.results.report.data.ReportData`, `about` a backtest's run.json."""

    def prepare(self, policy: Path | None) -> Any:
        """What is wanted from the agent's folder, read before anything is played; InputError where it is damaged."""
        ...

    def leave(self, folder: Path, comparison: Any, prepared: Any) -> None:
        """Write files of the task's own into the backtest's folder."""
        ...

    def read(self, folder: Path, about: dict[str, Any], comparison: Any) -> Any:
        """Those files, and the episode in detail where the task is `traced`; InputError where they are damaged or do not agree."""
        ...

    def pictures(self, told: Any) -> dict[str, bytes]:
        """PNG files by name, beside those of every comparison."""
        ...

    def page(self, told: Any, pictures: dict[str, bytes]) -> str:
        """The page, as HTML, with all the pictures in it."""
        ...


def _market_report(words: Words) -> Report:
    from lobjax.tasks.report import MarketReport  # draws with matplotlib, which an environment does without

    return MarketReport(words)


@dataclass(frozen=True, kw_only=True)
class TaskSpec:
    """A task. Its name is the `kind` of its configuration, and what its environments are called.

    `make(config)` takes an `EnvConfig`; tasks on a market of messages call `lobjax.tasks.market.on_market`.
    """

    config: type  # a frozen dataclass with `kind`, decisions, step_s and step_messages
    make: Callable[[Any], Environment]
    measures: Measures
    strategies: Strategies = field(default_factory=Strategies)
    words: Words = field(default_factory=Words)
    for_evaluation: Callable[[Any], Any] = lambda config: config  # without rewards that look ahead
    traced: bool = True  # whether a backtest shows one episode with the book, order by order
    report: Callable[[Words], Report] = _market_report

    @property
    def name(self) -> str:
        """The kind."""
        return kind_of(self.config)


TASKS: Registry[TaskSpec] = Registry("task")
_EPISODE = ("decisions", "step_s", "step_messages")


def register(spec: TaskSpec) -> TaskSpec:
    """Make a task known by the kind of its configuration; InputError where the name is taken or the configuration lacks something."""
    name = kind_of(spec.config)
    missing = [wanted for wanted in _EPISODE if not hasattr(spec.config, wanted)]
    if missing:
        raise InputError(f"task '{name}': {spec.config.__name__} has no {missing[0]}; add it, with a default")
    return TASKS.add(name, spec)


def known_measures() -> dict[str, Measures]:
    """What players are compared by in each task."""
    return {name: spec.measures for name, spec in TASKS.items()}
