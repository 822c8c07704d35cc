"""Networks and action heads, as pure functions. They know sizes, not environments. `NETS` and `HEADS` have them by kind."""

from lobjax.nets.categoricals import Categoricals, CategoricalsConfig
from lobjax.nets.dirichlet import Dirichlet, DirichletConfig
from lobjax.nets.heads import SPACES, Head, SimplexHead
from lobjax.nets.interface import NetFns
from lobjax.nets.mlp import MLPConfig, make_mlp
from lobjax.nets.normals import LogisticNormal, LogisticNormalConfig, SoftmaxNormal, SoftmaxNormalConfig
from lobjax.nets.recurrent import GRUConfig, make_gru
from lobjax.nets.registry import (
    HEADS,
    NETS,
    HeadConfig,
    HeadSpec,
    NetConfig,
    NetSpec,
    head_on,
    make_net,
    register_head,
    register_net,
)
from lobjax.nets.transformer import TransformerConfig, attention_operations, make_transformer

_SIMPLEX, _CHOICES = SPACES

register_net(NetSpec(config=MLPConfig, make=make_mlp))
register_net(NetSpec(config=GRUConfig, make=make_gru))
register_net(NetSpec(config=TransformerConfig, make=make_transformer, attention=attention_operations))
register_head(HeadSpec(config=LogisticNormalConfig, make=LogisticNormal, space=_SIMPLEX, default=True))
register_head(HeadSpec(config=DirichletConfig, make=Dirichlet, space=_SIMPLEX))
register_head(HeadSpec(config=SoftmaxNormalConfig, make=SoftmaxNormal, space=_SIMPLEX))
register_head(HeadSpec(config=CategoricalsConfig, make=Categoricals, space=_CHOICES, default=True))

__all__ = [
    "HEADS",
    "NETS",
    "Categoricals",
    "CategoricalsConfig",
    "Dirichlet",
    "DirichletConfig",
    "GRUConfig",
    "Head",
    "HeadConfig",
    "HeadSpec",
    "LogisticNormal",
    "LogisticNormalConfig",
    "MLPConfig",
    "NetConfig",
    "NetFns",
    "NetSpec",
    "SimplexHead",
    "SoftmaxNormal",
    "SoftmaxNormalConfig",
    "TransformerConfig",
    "head_on",
    "make_net",
    "register_head",
    "register_net",
]
