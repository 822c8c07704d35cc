"""How a policy is improved from what it played: the choices of each algorithm."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from train.optimiser import AdamConfig, OptimiserConfig


def positive(config: Any, *names: str) -> None:
    """ValueError unless each of these fields is above 0."""
    for name in names:
        if not getattr(config, name) > 0:
            raise ValueError(f"{name} is {getattr(config, name)}; it must be positive")


@dataclass(frozen=True, kw_only=True)
class PPOConfig:
    """Proximal policy optimisation (Schulman et al., arXiv 1707.06347). Optional bounds are off when None.

    Minibatches split environments, never time. `target_kl`: gradient steps stop for the rest of an update once
    the policy has moved further than this. `schedule` "linear" brings the learning rate to zero over the run.
    """

    kind: Literal["ppo"] = "ppo"
    epochs: int = 4
    minibatches: int = 4
    discount: float = 0.99
    trace_decay: float = 0.95
    clip: float = 0.2
    value_clip: float | None = None
    value_coefficient: float = 0.5
    entropy_coefficient: float = 0.0
    normalise_advantages: bool = True
    target_kl: float | None = None
    learning_rate: float = 3e-4
    schedule: Literal["constant", "linear"] = "constant"
    max_gradient_norm: float | None = 0.5
    optimiser: OptimiserConfig = field(default_factory=AdamConfig)

    def __post_init__(self) -> None:
        positive(self, "epochs", "minibatches", "clip", "learning_rate")
        positive(self, *(n for n in ("value_clip", "target_kl", "max_gradient_norm") if getattr(self, n) is not None))
        _check(self)


@dataclass(frozen=True, kw_only=True)
class ActorCriticConfig:
    """Plain advantage actor-critic: one gradient step an update, on the whole batch, at the policy that played it.

    The defaults are those of Cheridito and Weiss (arXiv 2507.06345): full traces, Adam at a constant rate, gradients as they come.
    """

    kind: Literal["actor_critic"] = "actor_critic"
    discount: float = 1.0
    trace_decay: float = 1.0
    value_coefficient: float = 0.5
    entropy_coefficient: float = 0.0
    normalise_advantages: bool = True
    learning_rate: float = 5e-4
    schedule: Literal["constant", "linear"] = "constant"
    max_gradient_norm: float | None = None
    optimiser: OptimiserConfig = field(default_factory=AdamConfig)

    # What PPO chooses and this does not.
    epochs: ClassVar[int] = 1
    minibatches: ClassVar[int] = 1
    value_clip: ClassVar[None] = None
    target_kl: ClassVar[None] = None

    def __post_init__(self) -> None:
        positive(self, "learning_rate", *(["max_gradient_norm"] if self.max_gradient_norm is not None else []))
        _check(self)


AlgorithmConfig = PPOConfig | ActorCriticConfig


def _check(config: AlgorithmConfig) -> None:
    for name in ("discount", "trace_decay"):
        if not 0 <= getattr(config, name) <= 1:
            raise ValueError(f"{name} is {getattr(config, name)}; it must lie between 0 and 1")
    for name in ("value_coefficient", "entropy_coefficient"):
        if getattr(config, name) < 0:
            raise ValueError(f"{name} is {getattr(config, name)}; it cannot be negative")
