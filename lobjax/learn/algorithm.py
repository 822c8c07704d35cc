"""How a policy is improved from what it played: the choices of each algorithm, and what it maximises; `ALGORITHMS` has them by kind."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import jax
import jax.numpy as jnp

from lobjax.errors import InputError
from lobjax.learn.optimiser import AdamConfig, OptimiserConfig
from lobjax.ranges import Range, check
from lobjax.registry import OneOf, Registry, kind_of

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


class Batch(NamedTuple):
    """What an update learns from; arrays [T, B, ...], but for the carry before the first step, [B, ...]."""

    carry: Any
    observation: jax.Array  # as the network reads it
    reset: jax.Array
    raw_action: jax.Array
    log_prob: jax.Array
    value: jax.Array
    advantage: jax.Array  # normalised, if the configuration says so
    target: jax.Array  # of the value
    weight: jax.Array | None = (
        None  # f32[T, B], of mean 1 over the whole batch: 0 where nothing is learned from; None: all alike
    )

    def mean(self, x: jax.Array) -> jax.Array:
        """The mean f32[] of `x` f32[T, B] over what is learned from."""
        return x.mean() if self.weight is None else (x * self.weight).mean()


def clipped_ratio(config: PPOConfig, log_prob: jax.Array, batch: Batch) -> tuple[jax.Array, dict[str, jax.Array]]:
    """PPO's surrogate f32[] and how far the policy has moved: advantages by the ratio of new to old probability, clipped (equation 7)."""
    log_ratio = log_prob - batch.log_prob
    ratio = jnp.exp(log_ratio)
    clipped = jnp.clip(ratio, 1 - config.clip, 1 + config.clip)
    return batch.mean(jnp.minimum(ratio * batch.advantage, clipped * batch.advantage)), {
        # Unbiased, never negative (Schulman, "Approximating KL divergence", k3).
        "policy/kl": batch.mean(ratio - 1 - log_ratio),
        "policy/clip_fraction": batch.mean((jnp.abs(ratio - 1) > config.clip).astype(jnp.float32)),
    }


def advantage_weighted(config: Any, log_prob: jax.Array, batch: Batch) -> tuple[jax.Array, dict[str, jax.Array]]:
    """The actor-critic's surrogate f32[]: its gradient is the policy gradient where the policy is the one that played."""
    return batch.mean(log_prob * batch.advantage), {}


@dataclass(frozen=True, kw_only=True)
class AlgorithmSpec:
    """An algorithm. `surrogate(config, log_prob f32[T, B], batch)` gives what is maximised, f32[], and metrics by name.

    Means are `batch.mean`'s, since some of what was played may be nothing to learn from (`lobjax.learn.arena`).

    The configuration has what `ActorCriticConfig` has, class variables included: all algorithms share loop, critic and optimiser.
    """

    config: type  # a frozen dataclass with `kind`
    surrogate: Callable[[Any, jax.Array, Batch], tuple[jax.Array, dict[str, jax.Array]]]


ALGORITHMS: Registry[AlgorithmSpec] = Registry("algorithm")
AlgorithmConfig = Annotated[Any, OneOf(ALGORITHMS)]
_NEEDED = (
    "discount", "trace_decay", "value_coefficient", "entropy_coefficient", "normalise_advantages", "learning_rate", "schedule",
    "max_gradient_norm", "optimiser", "epochs", "minibatches", "value_clip", "target_kl",
)  # fmt: skip


def register_algorithm(spec: AlgorithmSpec) -> AlgorithmSpec:
    """Make an algorithm known by the kind of its configuration; InputError where the name is taken or a choice is missing."""
    name = kind_of(spec.config)
    known = {field.name for field in fields(spec.config)}
    if missing := [each for each in _NEEDED if each not in known and not hasattr(spec.config, each)]:
        raise InputError(
            f"algorithm '{name}': {spec.config.__name__} has no {missing[0]}; add it, as a ClassVar where it is no choice"
        )
    return ALGORITHMS.add(name, spec)


register_algorithm(AlgorithmSpec(config=PPOConfig, surrogate=clipped_ratio))
register_algorithm(AlgorithmSpec(config=ActorCriticConfig, surrogate=advantage_weighted))
