"""How a policy is improved from what it played: the choices of each algorithm."""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from lobjax.ranges import Range, check
from train.optimiser import AdamConfig, OptimiserConfig

_Share = Annotated[float, Range(0.0, 1.0)]
_Coefficient = Annotated[float, Range(0.0, 1e3)]
_LearningRate = Annotated[float, Range(1e-9, 10.0)]
_Bound = Annotated[float, Range(1e-6, 1e6)]


@dataclass(frozen=True, kw_only=True)
class PPOConfig:
    """Proximal policy optimisation (Schulman et al., arXiv 1707.06347). Optional bounds are off when None.

    Minibatches split environments, never time. `target_kl`: gradient steps stop for the rest of an update once
    the policy has moved further than this. `schedule` "linear" brings the learning rate to zero over the run.
    """

    kind: Literal["ppo"] = "ppo"
    epochs: Annotated[int, Range(1, 1000)] = 4
    minibatches: Annotated[int, Range(1, 65_536)] = 4
    discount: _Share = 0.99
    trace_decay: _Share = 0.95
    clip: Annotated[float, Range(1e-6, 100.0)] = 0.2
    value_clip: _Bound | None = None
    value_coefficient: _Coefficient = 0.5
    entropy_coefficient: _Coefficient = 0.0
    normalise_advantages: bool = True
    target_kl: _Bound | None = None
    learning_rate: _LearningRate = 3e-4
    schedule: Literal["constant", "linear"] = "constant"
    max_gradient_norm: _Bound | None = 0.5
    optimiser: OptimiserConfig = field(default_factory=AdamConfig)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True)
class ActorCriticConfig:
    """Plain advantage actor-critic: one gradient step an update, on the whole batch, at the policy that played it.

    The defaults are those of Cheridito and Weiss (arXiv 2507.06345): full traces, Adam at a constant rate, gradients as they come.
    """

    kind: Literal["actor_critic"] = "actor_critic"
    discount: _Share = 1.0
    trace_decay: _Share = 1.0
    value_coefficient: _Coefficient = 0.5
    entropy_coefficient: _Coefficient = 0.0
    normalise_advantages: bool = True
    learning_rate: _LearningRate = 5e-4
    schedule: Literal["constant", "linear"] = "constant"
    max_gradient_norm: _Bound | None = None
    optimiser: OptimiserConfig = field(default_factory=AdamConfig)

    # What PPO chooses and this does not.
    epochs: ClassVar[int] = 1
    minibatches: ClassVar[int] = 1
    value_clip: ClassVar[None] = None
    target_kl: ClassVar[None] = None

    def __post_init__(self) -> None:
        check(self)


AlgorithmConfig = PPOConfig | ActorCriticConfig
