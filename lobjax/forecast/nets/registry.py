"""Forecast networks by the kind that a configuration names: a window of features in, logits of the three classes out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from lobjax.ranges import Range
from lobjax.registry import OneOf, Registry, entry_of, kind_of
from lobjax.settings import key_of, settled

CLASSES = 3
Width = Annotated[int, Range(1, 4096)]
Heads = Annotated[int, Range(1, 256)]
Dropout = Annotated[float, Range(0, 0.95)]


class ForecastNet(NamedTuple):
    """Two pure functions over parameters. No frame after the last of a window is seen, and no window sees another.

    init(key) -> params
    apply(params, windows f32[B, T, F], key) -> logits f32[B, 3]; with a key units are dropped at random, with None none are
    """

    init: Callable[[jax.Array], Any]
    apply: Callable[[Any, jax.Array, jax.Array | None], jax.Array]


@dataclass(frozen=True, kw_only=True)
class ForecastNetSpec:
    """A kind of forecast network. `make(config)` is a Flax module called with (windows f32[B, T, F], train); ValueError: does not fit."""

    config: type  # a frozen dataclass with `kind`
    make: Callable[[Any], nn.Module]
    check: Callable[[Any, int, int], None] = lambda config, window, features: None  # ValueError where sizes do not fit


FORECAST_NETS: Registry[ForecastNetSpec] = Registry("forecast network")
ForecastNetConfig = Annotated[Any, OneOf(FORECAST_NETS)]


def register_forecast_net(spec: ForecastNetSpec) -> ForecastNetSpec:
    """Make a forecast network known by the kind of its configuration; InputError where the name is taken."""
    return FORECAST_NETS.add(kind_of(spec.config), spec)


def make_forecast_net(config: ForecastNetConfig, window: int, features: int) -> ForecastNet:
    """The network that `config` describes, for windows of `window` frames of `features`. ValueError where it does not fit them."""
    spec = entry_of(FORECAST_NETS, config)
    spec.check(config, window, features)
    module = spec.make(config)

    def init(key: jax.Array) -> Any:
        return module.init(key, jnp.zeros((1, window, features), jnp.float32), False)["params"]

    def apply(params: Any, windows: jax.Array, key: jax.Array | None) -> Any:
        drawn = {} if key is None else {"dropout": key}
        return module.apply({"params": params}, windows, key is not None, rngs=drawn)

    return ForecastNet(settled(init), settled(apply))


def count(config: ForecastNetConfig, window: int, features: int) -> int:
    """Parameters of the network. Nothing is allocated."""
    shapes = jax.eval_shape(make_forecast_net(config, window, features).init, key_of(0))
    return sum(leaf.size for leaf in jax.tree.leaves(shapes))
