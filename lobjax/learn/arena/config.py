"""What a training run in an arena is: the arena, which groups of seats learn and how, who plays the others, and the sizes of an update."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from lobjax.arena import ROLES, ArenaConfig, GroupConfig
from lobjax.errors import nearest
from lobjax.evaluation import MOST_EPISODES
from lobjax.learn.arena.curriculum import CurriculumConfig
from lobjax.learn.arena.groups import GroupLearner, GroupPlay, OpponentsConfig, PoolPlay, RulePlay
from lobjax.learn.pace import BestConfig
from lobjax.ranges import Length, Range, Seed, check, shown
from lobjax.registry import kind_of
from lobjax.types import INT32_MAX


@dataclass(frozen=True, kw_only=True)
class ArenaEvaluationConfig:
    """On how many episodes, that training never drew, learned groups are compared with their baselines; 0: no evaluation."""

    episodes: Annotated[int, Range(0, MOST_EPISODES)] = 512
    seed: Seed = 20250701
    actions: Literal["mode", "sampled"] = "mode"

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True)
class ArenaTrainConfig:
    """One run. What is not said here is as for `lobjax.learn.TrainConfig`; steps are decisions of an arena, of all its seats together.

    Groups that neither learn nor are in `plays` play the baseline of their role.
    """

    arena: Any
    learn: tuple[GroupLearner, ...]
    plays: tuple[GroupPlay, ...] = ()
    opponents: OpponentsConfig | None = None
    curriculum: CurriculumConfig | None = None
    plugins: Annotated[tuple[str, ...], Length(0, 64)] = ()
    seed: Seed = 0
    devices: Annotated[int, Range(1, 4096)] = 1
    n_envs: Annotated[int, Range(1, 1 << 20)] = 256
    rollout_length: Annotated[int, Range(1, 65_536)] = 25
    total_steps: Annotated[int, Range(1, 10**12)] = 1_000_000
    bank_size: Annotated[int, Range(1, 4096)] = 1
    normalise_observations: bool = True
    normalise_rewards: bool = True
    checkpoint_every: Annotated[int, Range(1, 10**9)] = 50
    keep: Annotated[int, Range(1, 10**6)] | None = None
    keep_best: BestConfig | None = None
    sinks: Annotated[tuple[Literal["mlflow", "wandb"], ...], Length(0, 2)] = ()
    compile: Literal["full", "quick"] = "full"
    evaluation: ArenaEvaluationConfig = field(default_factory=ArenaEvaluationConfig)

    def __post_init__(self) -> None:
        check(self)
        self._check_groups()
        if self.curriculum is not None and self.arena.events is None:
            raise ValueError(
                "curriculum: the arena has no events that it could change; give arena.events, or leave it out"
            )
        for learner in self.learn:
            parts = self.devices * learner.algorithm.minibatches
            if self.n_envs % parts:
                raise ValueError(
                    f"n_envs {self.n_envs} does not divide into {self.devices} devices x {learner.algorithm.minibatches} minibatches "
                    f"of '{learner.name}'; make it a multiple of {parts}"
                )
        self._check_opponents()
        if self.batch_size > INT32_MAX or self.n_updates > INT32_MAX:
            raise ValueError(
                f"{self.n_updates:,} updates of {self.batch_size:,} steps are more than are counted; lower total_steps or n_envs"
            )
        if self.n_updates < 1:
            raise ValueError(f"total_steps {self.total_steps} is less than one update of {self.batch_size} steps")

    def _check_groups(self) -> None:
        if not isinstance(self.arena, ArenaConfig):
            raise ValueError(f"arena: expected a configuration of an arena, found {type(self.arena).__name__}")
        if not self.learn:
            raise ValueError(
                f"learn: no group learns; name one of {', '.join(group.name for group in self.arena.roles)}"
            )
        seen: set[str] = set()
        for where, entry in [*(("learn", one) for one in self.learn), *(("plays", one) for one in self.plays)]:
            self.group(entry.name, where)
            if entry.name in seen:
                raise ValueError(f"{where}: '{entry.name}' is there twice; a group either learns or is played")
            seen.add(entry.name)
        for entry in self.plays:
            group, play = self.group(entry.name), entry.play
            rules = ROLES[kind_of(type(group.role))].rules
            if isinstance(play, RulePlay) and play.rule is not None and play.rule not in rules:
                raise ValueError(f"plays.{entry.name}: no rule {shown(play.rule)}; {nearest(play.rule, rules)}")
            if isinstance(play, PoolPlay):
                if play.pool not in self.learning:
                    raise ValueError(
                        f"plays.{entry.name}.pool: no group {shown(play.pool)} learns; {nearest(play.pool, self.learning)}"
                    )
                if type(self.group(play.pool).role) is not type(group.role):
                    raise ValueError(
                        f"plays.{entry.name}.pool: '{play.pool}' has another role; name a group of the same one"
                    )

    def _check_opponents(self) -> None:
        drawn = [entry.name for entry in self.plays if isinstance(entry.play, PoolPlay)]
        if self.opponents is None:
            if drawn:
                raise ValueError(f"plays.{drawn[0]}: a pool of past selves, but there is none; give opponents")
            return
        many, period = self.opponents.of_period
        if many == 0 and not drawn:
            raise ValueError(
                "opponents.share is 0 and no group plays a pool, so past selves would play nowhere; raise it"
            )
        if many and (self.n_envs // self.devices) % period:
            raise ValueError(
                f"opponents.share {self.opponents.share}: {self.n_envs // self.devices} environments of a device do not divide "
                f"into groups of {period}; make n_envs a multiple of {period * self.devices}"
            )
        if many and len(self.learn) == 1 and self.group(self.learn[0].name).seats == 1:
            raise ValueError(
                "opponents.share: one seat learns alone, so past selves have no seat; set it to 0, or let another group play the pool"
            )

    @property
    def learning(self) -> tuple[str, ...]:
        """Names of the groups that learn, in their order."""
        return tuple(one.name for one in self.learn)

    def group(self, name: str, where: str = "learn") -> GroupConfig:
        """A group of the arena by name; ValueError for one that is not there."""
        for group in self.arena.roles:
            if group.name == name:
                return group
        raise ValueError(
            f"{where}: no group {shown(name)} in the arena; {nearest(name, [one.name for one in self.arena.roles])}"
        )

    @property
    def batch_size(self) -> int:
        """Decisions of arenas in one update."""
        return self.n_envs * self.rollout_length

    @property
    def n_updates(self) -> int:
        """Updates in the run."""
        return self.total_steps // self.batch_size

    @property
    def flows(self) -> tuple[Any, ...]:
        """Of every venue."""
        return tuple(venue.flow for venue in self.arena.venues)
