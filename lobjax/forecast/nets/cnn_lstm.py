"""Two causal convolutions, an LSTM, self-attention at the last step, a linear layer.

Of 78 features with the defaults 607,395 parameters; with `biases` 1, 606,371; without attention, 344,227; with kernels of 5, 616,483; a
layer norm adds 512.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import flax.linen as nn
import jax

from lobjax.forecast.nets.layers import LSTM, CausalConv, LastStepAttention, linear
from lobjax.forecast.nets.registry import CLASSES, Dropout, ForecastNetSpec, Heads, Width, register_forecast_net
from lobjax.nets.precision import layer_norm
from lobjax.ranges import Length, Range, check


@dataclass(frozen=True, kw_only=True)
class CNNLSTMConfig:
    """`channels` of the convolutions over `kernel` frames, `width` of the LSTM and the attention.

    What is attended to is added to the last step's state. `biases`: 2 of each LSTM gate as in PyTorch, 1 as in Flax. `dropout`: the share
    of what the convolutions give, and of what the last layer reads, that is dropped in training.
    """

    kind: Literal["cnn_lstm"] = "cnn_lstm"
    channels: Annotated[tuple[Width, ...], Length(1, 8)] = (32, 64)
    kernel: Annotated[int, Range(1, 32)] = 3
    width: Width = 256
    heads: Heads = 8
    attention: bool = True
    layer_norm: bool = False
    biases: Literal[1, 2] = 2
    dropout: Dropout = 0.3

    def __post_init__(self) -> None:
        check(self)
        if self.attention and self.width % self.heads:
            raise ValueError(f"width {self.width} does not divide into {self.heads} heads; choose a multiple")


class _CNNLSTM(nn.Module):
    config: CNNLSTMConfig

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        config = self.config
        drop = nn.Dropout(config.dropout, deterministic=not train)
        for channels in config.channels:
            x = nn.relu(CausalConv(channels, config.kernel)(x))
        x = LSTM(config.width, config.biases)(drop(x))
        last = x[:, -1]
        if config.attention:
            last = last + LastStepAttention(config.heads)(x)
        if config.layer_norm:
            last = layer_norm("float32")(last)
        return linear(CLASSES)(drop(last))


register_forecast_net(ForecastNetSpec(config=CNNLSTMConfig, make=_CNNLSTM))
