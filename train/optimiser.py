"""From a gradient to a direction: what optax offers, by name. The learning rate is applied by `train.ppo`, since it follows the update."""

from dataclasses import dataclass
from typing import Annotated, Literal

import optax

from lobjax.ranges import Range, check

_EPSILON = Range(1e-16, 1.0)


@dataclass(frozen=True, kw_only=True)
class AdamConfig:
    """Adam (Kingma and Ba, arXiv 1412.6980)."""

    kind: Literal["adam"] = "adam"
    epsilon: Annotated[float, _EPSILON] = 1e-5

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True)
class AdamWConfig:
    """Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101): each step also takes `weight_decay` of the parameters."""

    kind: Literal["adamw"] = "adamw"
    epsilon: Annotated[float, _EPSILON] = 1e-5
    weight_decay: Annotated[float, Range(1e-9, 10.0)] = 1e-2

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True)
class SGDConfig:
    """Gradient descent; `momentum` 0 is without."""

    kind: Literal["sgd"] = "sgd"
    momentum: Annotated[float, Range(0.0, 0.99999)] = 0.0

    def __post_init__(self) -> None:
        check(self)


OptimiserConfig = AdamConfig | AdamWConfig | SGDConfig


def direction(config: OptimiserConfig) -> optax.GradientTransformation:
    """What is multiplied by the learning rate and taken off the parameters."""
    if isinstance(config, SGDConfig):
        return optax.trace(config.momentum) if config.momentum else optax.identity()
    adam = optax.scale_by_adam(eps=config.epsilon)
    return (
        optax.chain(adam, optax.add_decayed_weights(config.weight_decay)) if isinstance(config, AdamWConfig) else adam
    )
