"""Configurations of those who sit in an arena: groups that learn, who plays the others, and the pool of past selves."""

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

from lobjax.learn.algorithm import AlgorithmConfig, PPOConfig
from lobjax.nets import HeadConfig, MLPConfig, NetConfig
from lobjax.ranges import Range, check

_MOST_PERIOD = 64


@dataclass(frozen=True, kw_only=True)
class GroupLearner:
    """A group that learns, with parameters that its seats share. `begin`: the folder of an agent that it goes on from."""

    name: str
    net: NetConfig = field(default_factory=MLPConfig)
    head: HeadConfig | None = None
    algorithm: AlgorithmConfig = field(default_factory=PPOConfig)
    begin: Path | None = None


@dataclass(frozen=True, kw_only=True)
class RulePlay:
    """A rule of the group's role; None: its baseline."""

    kind: Literal["rule"] = "rule"
    rule: str | None = None


@dataclass(frozen=True, kw_only=True)
class AgentPlay:
    """A saved agent, which does not learn: a folder with policy.npz."""

    kind: Literal["agent"] = "agent"
    agent: Path
    actions: Literal["mode", "sampled"] = "mode"


@dataclass(frozen=True, kw_only=True)
class PoolPlay:
    """Past selves of a group that learns and has the same role; another is drawn for each episode."""

    kind: Literal["pool"] = "pool"
    pool: str


@dataclass(frozen=True, kw_only=True)
class GroupPlay:
    """Who plays a group that does not learn."""

    name: str
    play: RulePlay | AgentPlay | PoolPlay


@dataclass(frozen=True, kw_only=True)
class OpponentsConfig:
    """The pool of past selves of every group that learns.

    After each `every` updates every group's self of then is added, in place of the oldest once there are `size`. In a `share` of the
    environments one group learns against past selves of the others, group after group; where one group learns alone, its first seat
    against past selves in the other seats. `draw`: uniform; recent, each half as often as the one added after it; or prioritised, by
    e to the power of how many deviations the learners' returns against it have lain below their mean, averaged with weights of a tenth.
    """

    every: Annotated[int, Range(1, 10**9)] = 20
    size: Annotated[int, Range(1, 256)] = 4
    draw: Literal["uniform", "recent", "prioritised"] = "uniform"
    share: Annotated[float, Range(0.0, 1.0)] = 0.25

    def __post_init__(self) -> None:
        check(self)
        if Fraction(self.share).limit_denominator(_MOST_PERIOD) != Fraction(str(self.share)):
            raise ValueError(
                f"share {self.share} is no fraction with a denominator up to {_MOST_PERIOD}; round it, as to 0.25"
            )

    @property
    def of_period(self) -> tuple[int, int]:
        """(k, n): of every n environments in a row the first k play against past selves."""
        fraction = Fraction(str(self.share))
        return fraction.numerator, fraction.denominator
