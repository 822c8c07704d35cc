"""The agent that a torch learner trains: the network and the head over it, as one module."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from lobjax.errors import InputError
from lobjax.nets import Head, NetConfig
from lobjax.nets.precision import EPSILON
from lobjax.torch_port.attention import Cache
from lobjax.torch_port.factory import Layers, choose_layers
from lobjax.torch_port.heads import TorchHead
from lobjax.torch_port.transformer import ActorCritic, make_actor_critic
from lobjax.torch_port.weights import from_flax, load_into, to_flax

NETS = {"transformer": make_actor_critic}  # the networks of `lobjax.nets.NETS` that torch has a twin of


class Agent(nn.Module):
    """`net` acts and remembers; calling the agent gives what a loss is made of, so that DistributedDataParallel sees every parameter."""

    def __init__(self, net: ActorCritic, head: Head) -> None:
        super().__init__()
        self.net, self.head = net, TorchHead(head)

    def forward(
        self, cache: Cache, observation: torch.Tensor, reset: torch.Tensor, raw: torch.Tensor, progress: float
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Log-probability of the raw actions, value and entropy f32[T, B] along a trajectory."""
        outputs, value = self.net(cache, observation, reset)
        return *self.head(outputs, raw, progress), value

    def to_params(self) -> dict[str, Any]:
        """{"net", "head"} as `lobjax.policy` saves them, in NumPy."""
        return {"net": to_flax(self.net.state_dict()), "head": self.head.params()}

    def load_params(self, params: Mapping[str, Any]) -> None:
        """Take such parameters over, to the bit; InputError where they are of another network."""
        load_into(self.net, from_flax(params["net"]))
        if self.head.log_std is not None:
            with torch.no_grad():
                self.head.log_std.copy_(torch.tensor(params["head"]["log_std"].tolist()))


def make_agent(config: NetConfig, observation_size: int, head: Head, layers: Layers | None = None) -> Agent:
    """An agent for observations of `observation_size`; `layers` None: chosen for the precision. InputError where it is no Transformer."""
    if config.kind not in NETS:
        raise InputError(f"config.net.kind: torch has no '{config.kind}'; take '{next(iter(NETS))}'")
    chosen = layers or choose_layers(config.precision, EPSILON)
    return Agent(NETS[config.kind](config, observation_size, head.bias, chosen), head)
