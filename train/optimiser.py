"""From a gradient to a direction: what optax offers, by name. The learning rate is applied by `train.ppo`, since it follows the update."""

from dataclasses import dataclass
from typing import Any, Literal

import optax


@dataclass(frozen=True, kw_only=True)
class AdamConfig:
    """Adam (Kingma and Ba, arXiv 1412.6980)."""

    kind: Literal["adam"] = "adam"
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        _positive(self, "epsilon")


@dataclass(frozen=True, kw_only=True)
class AdamWConfig:
    """Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101): each step also takes `weight_decay` of the parameters."""

    kind: Literal["adamw"] = "adamw"
    epsilon: float = 1e-5
    weight_decay: float = 1e-2

    def __post_init__(self) -> None:
        _positive(self, "epsilon", "weight_decay")


@dataclass(frozen=True, kw_only=True)
class SGDConfig:
    """Gradient descent; `momentum` 0 is without."""

    kind: Literal["sgd"] = "sgd"
    momentum: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum is {self.momentum}; it must lie between 0 and 1, 1 excluded")


OptimiserConfig = AdamConfig | AdamWConfig | SGDConfig


def direction(config: OptimiserConfig) -> optax.GradientTransformation:
    """What is multiplied by the learning rate and taken off the parameters."""
    if isinstance(config, SGDConfig):
        return optax.trace(config.momentum) if config.momentum else optax.identity()
    adam = optax.scale_by_adam(eps=config.epsilon)
    return (
        optax.chain(adam, optax.add_decayed_weights(config.weight_decay)) if isinstance(config, AdamWConfig) else adam
    )


def _positive(config: Any, *names: str) -> None:
    for name in names:
        if not getattr(config, name) > 0:
            raise ValueError(f"{name} is {getattr(config, name)}; it must be positive")
