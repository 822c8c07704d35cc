"""Networks and action heads, as pure functions. They know sizes, not environments."""

from lobjax.nets.heads import Categoricals, CategoricalsConfig, Head, HeadConfig, LogisticNormal, LogisticNormalConfig
from lobjax.nets.interface import NetFns
from lobjax.nets.mlp import MLPConfig, make_mlp
from lobjax.nets.transformer import TransformerConfig, make_transformer

NetConfig = MLPConfig | TransformerConfig

__all__ = [
    "Categoricals",
    "CategoricalsConfig",
    "Head",
    "HeadConfig",
    "LogisticNormal",
    "LogisticNormalConfig",
    "MLPConfig",
    "NetConfig",
    "NetFns",
    "TransformerConfig",
    "make_net",
]


def make_net(config: NetConfig, observation_size: int, head: Head) -> NetFns:
    """The network that `config` describes, for observations of `observation_size`, giving what `head` reads."""
    if isinstance(config, MLPConfig):
        return make_mlp(config, observation_size, len(head.bias), head.bias)
    return make_transformer(config, observation_size, len(head.bias), head.bias)
