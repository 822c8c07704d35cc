"""From a gradient to a direction: what optax offers, by name. `lobjax.learn.ppo` applies the learning rate, since it follows the update."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import optax

from lobjax.ranges import Range, check
from lobjax.registry import OneOf, Registry, entry_of, kind_of

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


def _adam(config: AdamConfig) -> optax.GradientTransformation:
    return optax.scale_by_adam(eps=config.epsilon)


def _adamw(config: AdamWConfig) -> optax.GradientTransformation:
    return optax.chain(optax.scale_by_adam(eps=config.epsilon), optax.add_decayed_weights(config.weight_decay))


def _sgd(config: SGDConfig) -> optax.GradientTransformation:
    return optax.trace(config.momentum) if config.momentum else optax.identity()


@dataclass(frozen=True, kw_only=True)
class OptimiserSpec:
    """An optimiser. `direction(config)` is what is multiplied by the learning rate and taken off the parameters."""

    config: type  # a frozen dataclass with `kind`
    direction: Callable[[Any], optax.GradientTransformation]


OPTIMISERS: Registry[OptimiserSpec] = Registry("optimiser")
OptimiserConfig = Annotated[Any, OneOf(OPTIMISERS)]


def register_optimiser(spec: OptimiserSpec) -> OptimiserSpec:
    """Make an optimiser known by the kind of its configuration; InputError where the name is taken."""
    return OPTIMISERS.add(kind_of(spec.config), spec)


register_optimiser(OptimiserSpec(config=AdamConfig, direction=_adam))
register_optimiser(OptimiserSpec(config=AdamWConfig, direction=_adamw))
register_optimiser(OptimiserSpec(config=SGDConfig, direction=_sgd))


def direction(config: OptimiserConfig) -> optax.GradientTransformation:
    """What is multiplied by the learning rate and taken off the parameters."""
    return entry_of(OPTIMISERS, config).direction(config)
