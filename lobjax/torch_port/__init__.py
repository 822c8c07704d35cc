"""The Transformer actor-critic in PyTorch, with Transformer Engine where it is usable; weights cross to Flax and back to the bit.

Nothing else in lobjax imports this package, and importing lobjax needs no torch (extra `torch`; Transformer Engine: extra `te`).
"""

from lobjax.errors import InputError

try:
    import torch  # noqa: F401 - before Transformer Engine, whose library needs what torch loads
except ImportError:
    raise InputError("torch: not installed; pip install -e '.[torch]'") from None

from lobjax.torch_port.attention import Cache
from lobjax.torch_port.factory import Layers, choose_layers
from lobjax.torch_port.transformer import ActorCritic, make_actor_critic
from lobjax.torch_port.weights import from_flax, load_into, to_flax

__all__ = [
    "ActorCritic",
    "Cache",
    "Layers",
    "choose_layers",
    "from_flax",
    "load_into",
    "make_actor_critic",
    "to_flax",
]
