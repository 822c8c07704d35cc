"""Networks and action heads, as pure functions. They know sizes, not environments."""

from lobjax.nets.categoricals import Categoricals, CategoricalsConfig
from lobjax.nets.dirichlet import Dirichlet, DirichletConfig
from lobjax.nets.heads import Head, HeadConfig, SimplexHead, SimplexHeadConfig, make_simplex_head
from lobjax.nets.interface import NetFns
from lobjax.nets.mlp import MLPConfig, make_mlp
from lobjax.nets.normals import LogisticNormal, LogisticNormalConfig, SoftmaxNormal, SoftmaxNormalConfig
from lobjax.nets.recurrent import GRUConfig, make_gru
from lobjax.nets.transformer import TransformerConfig, make_transformer

NetConfig = MLPConfig | GRUConfig | TransformerConfig

__all__ = [
    "Categoricals",
    "CategoricalsConfig",
    "Dirichlet",
    "DirichletConfig",
    "GRUConfig",
    "Head",
    "HeadConfig",
    "LogisticNormal",
    "LogisticNormalConfig",
    "MLPConfig",
    "NetConfig",
    "NetFns",
    "SimplexHead",
    "SimplexHeadConfig",
    "SoftmaxNormal",
    "SoftmaxNormalConfig",
    "TransformerConfig",
    "make_net",
    "make_simplex_head",
]


def make_net(config: NetConfig, observation_size: int, head: Head) -> NetFns:
    """The network that `config` describes, for observations of `observation_size`, giving what `head` reads."""
    if isinstance(config, MLPConfig):
        return make_mlp(config, observation_size, len(head.bias), head.bias)
    if isinstance(config, GRUConfig):
        return make_gru(config, observation_size, len(head.bias), head.bias)
    return make_transformer(config, observation_size, len(head.bias), head.bias)
