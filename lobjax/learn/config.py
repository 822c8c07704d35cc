"""What a training run is: the environment, the network, the algorithm and the sizes of an update."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from lobjax import packaged, plugins
from lobjax.config import build, load_yaml, override
from lobjax.errors import InputError
from lobjax.evaluation import MOST_EPISODES
from lobjax.flow import FLOWS, is_recorded, overlap
from lobjax.learn.algorithm import AlgorithmConfig, PPOConfig
from lobjax.learn.pace import BestConfig
from lobjax.learn.tasks import MARKET, Tasks
from lobjax.nets import HeadConfig, MLPConfig, NetConfig
from lobjax.ranges import Length, Range, Seed, check
from lobjax.registry import OneOf
from lobjax.types import INT32_MAX


@dataclass(frozen=True, kw_only=True)
class EvaluationConfig:
    """What the trained agent is compared on: `episodes` of the training market that it never drew (keys are derived otherwise).

    `flow` puts other flow in its place, such as hours of a day that training never saw; of a recorded flow every start is played once,
    whatever `episodes` says. `actions`: the head's "mode", or "sampled" as at the end of training. 0 episodes: no evaluation.
    """

    episodes: Annotated[int, Range(0, MOST_EPISODES)] = 4096
    seed: Seed = 20250701
    actions: Literal["mode", "sampled"] = "mode"
    flow: Annotated[Any, OneOf(FLOWS)] | None = None

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """One run. An update plays `rollout_length` steps in each of `n_envs` environments, then learns from them.

    The run lasts `total_steps` environment steps, rounded down to whole updates. An environment whose episode ends goes
    on from one of `bank_size` starts drawn for it before the rollout; with more endings than that it meets the
    same starts again. `head` None takes the default of the action space, and an `algorithm` without `kind` is PPO.
    `normalise_rewards` divides rewards by the running deviation of discounted returns before learning (`lobjax.learn.rewards`).
    A checkpoint is written after every `checkpoint_every` updates and at the end. All are kept, or with `keep` the newest so many
    and the best; `keep_best` names the metric that tells it. `sinks` are added to metrics.jsonl and TensorBoard.
    `plugins`: modules to import first, which may register tasks, flows, networks and so on (`lobjax.plugins`).
    `compile` "quick" is for runs of seconds: XLA without LLVM's optimisations.
    """

    env: Any
    plugins: Annotated[tuple[str, ...], Length(0, 64)] = ()
    net: NetConfig = field(default_factory=MLPConfig)
    head: HeadConfig | None = None
    algorithm: AlgorithmConfig = field(default_factory=PPOConfig)
    seed: Seed = 0
    devices: Annotated[int, Range(1, 4096)] = 1
    n_envs: Annotated[int, Range(1, 1 << 20)] = 512
    rollout_length: Annotated[int, Range(1, 65_536)] = 16
    total_steps: Annotated[int, Range(1, 10**12)] = 1_000_000
    bank_size: Annotated[int, Range(1, 4096)] = 2
    normalise_observations: bool = True
    normalise_rewards: bool = False
    checkpoint_every: Annotated[int, Range(1, 10**9)] = 50
    keep: Annotated[int, Range(1, 10**6)] | None = None
    keep_best: BestConfig | None = None
    sinks: Annotated[tuple[Literal["mlflow", "wandb"], ...], Length(0, 2)] = ()
    compile: Literal["full", "quick"] = "full"
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)

    def __post_init__(self) -> None:
        check(self)
        if len(set(self.sinks)) != len(self.sinks):
            raise ValueError(f"sinks {list(self.sinks)}: one is named twice; name each once")
        parts = self.devices * self.algorithm.minibatches
        if self.n_envs % parts:
            raise ValueError(
                f"n_envs {self.n_envs} does not divide into {self.devices} devices x {self.algorithm.minibatches} "
                f"minibatches; make it a multiple of {parts}"
            )
        self._check_held_out()
        if self.batch_size > INT32_MAX or self.n_updates > INT32_MAX:
            raise ValueError(
                f"n_envs {self.n_envs} x rollout_length {self.rollout_length} in {self.n_updates:,} updates are more than are "
                "counted (2^31 - 1 of each); lower n_envs, rollout_length or total_steps"
            )
        if self.n_updates < 1:
            raise ValueError(f"total_steps {self.total_steps} is less than one update of {self.batch_size} steps")

    def _check_held_out(self) -> None:
        """A recorded agent is evaluated on hours that it never saw, in windows that do not overlap."""
        learned, played = getattr(self.env, "flow", None), self.evaluation.flow
        if self.evaluation.episodes == 0 or not is_recorded(learned):
            return
        if played is None:
            raise ValueError("evaluation.flow: name hours that training does not see, or set evaluation.episodes to 0")
        if is_recorded(played):
            if overlap(learned, played):
                raise ValueError("evaluation.flow: these hours are among those trained on; choose others")
            if self.env.task.step_messages:
                raise ValueError(
                    "evaluation.flow: windows of counted steps may overlap; set env.task.step_messages or evaluation.episodes to 0"
                )
            length = self.env.task.decisions * self.env.task.step_s
            if played.start_every_s < length:
                raise ValueError(
                    f"evaluation.flow: windows of {length:g} s overlap; set start_every_s to {length:g} or more"
                )

    @property
    def batch_size(self) -> int:
        """Environment steps in one update."""
        return self.n_envs * self.rollout_length

    @property
    def n_updates(self) -> int:
        """Updates in the run."""
        return self.total_steps // self.batch_size

    @property
    def flows(self) -> tuple[Any, ...]:
        """Of training and of the evaluation; None where there is none."""
        return getattr(self.env, "flow", None), self.evaluation.flow


def config_from(data: dict[str, Any], env_config: Callable[[Any], Any]) -> TrainConfig:
    """Build a configuration strictly, after its plugins are imported; `env_config` reads the section `env`."""
    if not isinstance(data, dict):
        raise InputError(f"config: expected a mapping, found {type(data).__name__} {data!r}")
    plugins.load_named(data)
    if "env" in data:
        data = {**data, "env": env_config(data["env"])}
    if isinstance(data.get("algorithm"), dict):
        data = {**data, "algorithm": {"kind": "ppo"} | data["algorithm"]}
    return build(TrainConfig, data)


def load_config(name: str | Path | Mapping[str, Any], *assignments: str, tasks: Tasks = MARKET) -> TrainConfig:
    """A training configuration: a YAML file, one that comes with the package by its name (`lobjax.packaged`) such as "smoke", or a mapping.

    `assignments` such as "n_envs=64" or "net={kind: mlp}" replace values of it. InputError says what is wrong, and where.
    """
    found = dict(name) if isinstance(name, Mapping) else load_yaml(packaged.configuration(name, "train"))
    return config_from(override(found, list(assignments)), tasks.env_config)
