"""What a backtest is: a market and a task, who plays, and which episodes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from lobjax import plugins
from lobjax.config import build, formerly, load_yaml, override
from lobjax.evaluation import MOST_BATCH, MOST_EPISODES
from lobjax.flow import FLOWS, RecordedConfig, is_recorded, overlap
from lobjax.ranges import Length, Range, Seed, check
from lobjax.registry import OneOf, entry_of
from lobjax.strategies import ModelsConfig
from lobjax.tasks import TASKS, EnvConfig, Strategies, for_evaluation

EPISODES = 2000  # of a simulated market, unless said


@dataclass(frozen=True, kw_only=True)
class BacktestConfig:
    """One backtest. In a simulated market `episodes` are drawn from `seed`; of a recorded one every window is played exactly once.

    `profile` is the flow on which VWAP's volume profile, and numbers that `models` leaves open, are measured: other hours or another day
    than those traded. A simulated market may leave it out; they are then measured on other episodes of the same market.
    """

    env: EnvConfig = field(default_factory=EnvConfig)
    plugins: Annotated[tuple[str, ...], Length(0, 64)] = ()  # modules to import first, see `lobjax.plugins`
    strategies: Annotated[tuple[str, ...], Length(0, 64)] | None = None  # None: all that the task has
    episodes: Annotated[int, Range(1, MOST_EPISODES)] | None = None
    seed: Seed = 20120621  # episodes' keys are derived otherwise than training's, so they never meet
    batch: Annotated[int, Range(1, MOST_BATCH)] = 1024  # episodes side by side
    profile: Annotated[Any, OneOf(FLOWS)] | None = None
    models: ModelsConfig = field(default_factory=ModelsConfig)  # the numbers of strategies that are closed forms
    # Of the market, in the episode that the report shows in detail.
    samples_per_decision: Annotated[int, Range(1, 10_000)] = field(default=40, metadata=formerly("looks"))

    def __post_init__(self) -> None:
        check(self)
        if self.strategies is not None and len(set(self.strategies)) != len(self.strategies):
            raise ValueError("strategies names one twice")
        if self.env.task.step_messages:
            raise ValueError("env.task.step_messages: a backtest goes by the clock; leave it out, or set it to 0")
        if for_evaluation(self.env) != self.env:
            raise ValueError("env.task.reward: hindsight looks ahead and is for training; set it to value here")
        if is_recorded(self.env.flow):
            self._check_recorded(self.env.flow)

    def _check_recorded(self, flow: RecordedConfig) -> None:
        length = self.env.task.decisions * self.env.task.step_s
        if self.episodes is not None:
            raise ValueError(
                "episodes: every window of a recorded flow is played once; leave it out, or choose other hours"
            )
        if flow.start_every_s < length:
            raise ValueError(
                f"windows of {length:g} s that start every {flow.start_every_s:g} s overlap, and intervals would be too narrow; "
                f"set env.flow.start_every_s to {length:g} or more"
            )
        if self.needs_profile and not is_recorded(self.profile):
            name = self._profiled[0]
            raise ValueError(
                f"{name} needs a volume profile of other hours than those traded; set profile, or leave {name} out"
            )
        if is_recorded(self.profile) and overlap(flow, self.profile):
            raise ValueError("profile: these hours are among those traded; VWAP may not know them, choose others")

    @property
    def needs_profile(self) -> bool:
        """Whether a strategy plays that is measured beforehand, as VWAP is."""
        return bool(self._profiled)

    @property
    def _profiled(self) -> tuple[str, ...]:
        own = self._known
        playing = own.names if self.strategies is None else self.strategies
        return tuple(name for name in own.profiled if name in playing)

    @property
    def _known(self) -> Strategies:
        return entry_of(TASKS, self.env.task).strategies

    @property
    def profile_env(self) -> EnvConfig | None:
        """The environment that is measured beforehand; None where it is that of the backtest, or nothing is measured."""
        models = any(name in self._known.models for name in self.strategies or ())
        return replace(self.env, flow=self.profile) if self.profile and (self.needs_profile or models) else None


def load_config(path: Path | None, assignments: list[str], trained: Mapping[str, Any] | None = None) -> BacktestConfig:
    """Read a YAML configuration and apply `key.path=value` to it; without one, the default in the environment of a training run.

    `trained`: the configuration of the run that left the agent, whose plugins are imported too.
    """
    trained = trained or {}
    data = override(load_yaml(path) if path else {"env": trained["env"]} if trained.get("env") else {}, assignments)
    own, others = plugins.named(data), plugins.named(trained, "policy: its plugins")
    plugins.load(others, "policy: its plugins")
    plugins.load(own)
    both = [*own, *(name for name in others if name not in own)]
    return build(BacktestConfig, {**data, plugins.KEY: both} if both else data)
