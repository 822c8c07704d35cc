"""A Transformer with dual attention in the style of TLOB (Berti and Kasneci 2025): over frames, then over channels, in turn.

Tokens of the first kind are frames [T, width], of the second channels [width, T]; pre-norm blocks, learned positions, and the last frame's
stream is read. Unlike TLOB it has no bilinear normalisation (features are scaled already) and no layers over all frames at the end.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import flax.linen as nn
import jax

from lobjax.forecast.nets.layers import linear
from lobjax.forecast.nets.registry import CLASSES, Dropout, ForecastNetSpec, Heads, Width, register_forecast_net
from lobjax.nets.precision import layer_norm
from lobjax.ranges import Range, check


@dataclass(frozen=True, kw_only=True)
class TLOBConfig:
    """`layers` pairs of blocks on a stream of `width` channels; `heads` of the attention over frames, one over channels."""

    kind: Literal["tlob"] = "tlob"
    layers: Annotated[int, Range(1, 64)] = 2
    width: Width = 48
    heads: Heads = 4
    expansion: Annotated[int, Range(1, 64)] = 2
    dropout: Dropout = 0.2

    def __post_init__(self) -> None:
        check(self)
        if self.width % self.heads:
            raise ValueError(f"width {self.width} does not divide into {self.heads} heads; choose a multiple")


class _Block(nn.Module):
    """Attention and a feed-forward branch over tokens [B, N, D]."""

    heads: int
    expansion: int
    dropout: float

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        drop = nn.Dropout(self.dropout, deterministic=not train)
        attention = nn.MultiHeadDotProductAttention(self.heads, precision=jax.lax.Precision.HIGHEST)
        x = x + drop(attention(layer_norm("float32")(x)))
        inner = nn.gelu(linear(self.expansion * x.shape[-1])(layer_norm("float32")(x)))
        return x + drop(linear(x.shape[-1])(inner))


class _TLOB(nn.Module):
    config: TLOBConfig

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        config = self.config
        x = linear(config.width)(x)
        x = x + self.param("positions", nn.initializers.normal(0.02), x.shape[1:])
        for _ in range(config.layers):
            x = _Block(config.heads, config.expansion, config.dropout)(x, train)
            x = _Block(1, config.expansion, config.dropout)(x.swapaxes(1, 2), train).swapaxes(1, 2)
        return linear(CLASSES)(layer_norm("float32")(x[:, -1]))


register_forecast_net(ForecastNetSpec(config=TLOBConfig, make=_TLOB))
