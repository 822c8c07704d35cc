"""DeepLOB of Zhang, Zohren and Roberts (2019): convolutions over each level, each side, the whole book; an inception module; an LSTM.

It reads the book alone: of the features the first 4 of each level, as pairs (price, size) of ask and bid. Its convolutions over time are
padded on the left here, so that no frame sees a later one. Of 10 levels it has the paper's 142,435 parameters.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from lobjax.forecast.nets.layers import LSTM, CausalConv, linear, past
from lobjax.forecast.nets.registry import CLASSES, Dropout, ForecastNetSpec, Width, register_forecast_net
from lobjax.ranges import Range, check

COLUMNS = 4  # of a level: distance of ask and of bid, size of ask and of bid


@dataclass(frozen=True, kw_only=True)
class DeepLOBConfig:
    """`channels` of the convolutions (twice as many in the inception module), `width` of the LSTM, `levels` of the book that it reads."""

    kind: Literal["deeplob"] = "deeplob"
    levels: Annotated[int, Range(1, 1000)] = 5
    channels: Width = 32
    width: Width = 64
    dropout: Dropout = 0.2

    def __post_init__(self) -> None:
        check(self)


class _DeepLOB(nn.Module):
    config: DeepLOBConfig

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        config = self.config
        batch, time, channels = *x.shape[:2], config.channels
        levels = x[:, :, : COLUMNS * config.levels].reshape(batch, time, config.levels, 2, 2)
        x = levels.swapaxes(-1, -2).reshape(batch, time, -1, 1)  # ask, its size, bid, its size
        for taken in (2, 2, config.levels):  # a price with its size; ask with bid; all levels
            x = nn.leaky_relu(linear(channels)(x.reshape(batch, time, -1, taken * x.shape[-1])), 0.01)
            for _ in range(2):
                x = nn.leaky_relu(CausalConv(channels, 4)(x), 0.01)
        x = x[:, :, 0]

        def act(x: jax.Array) -> jax.Array:
            return nn.leaky_relu(x, 0.01)

        wide = 2 * channels
        short = act(CausalConv(wide, 3)(act(linear(wide)(x))))
        long = act(CausalConv(wide, 5)(act(linear(wide)(x))))
        most = act(linear(wide)(jnp.stack(past(x, 3, -jnp.inf)).max(0)))
        x = jnp.concatenate([short, long, most], -1)
        drop = nn.Dropout(config.dropout, deterministic=not train)
        return linear(CLASSES)(LSTM(config.width, biases=1)(drop(x))[:, -1])


def _check(config: DeepLOBConfig, window: int, features: int) -> None:
    if features < COLUMNS * config.levels:
        raise ValueError(f"net.levels {config.levels} need {COLUMNS * config.levels} features; there are {features}")


register_forecast_net(ForecastNetSpec(config=DeepLOBConfig, make=_DeepLOB, check=_check))
