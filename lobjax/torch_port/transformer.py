"""The causal Transformer actor-critic of `lobjax.nets.transformer` in torch: the same function of the same numbers.

Layer norm and linear maps come from a factory (`lobjax.torch_port.factory`). Embedding, last norm and both output layers stay in float32.
"""

from math import sqrt

import torch
from torch import nn

from lobjax.nets import TransformerConfig
from lobjax.nets.precision import EPSILON
from lobjax.nets.transformer import n_towers
from lobjax.torch_port import attention
from lobjax.torch_port.attention import Cache
from lobjax.torch_port.factory import Layers, activations

Outputs = tuple[torch.Tensor, torch.Tensor]


class Block(nn.Module):
    """Attention and the feed-forward branch, each after its layer norm, over a stream [B * T, width]."""

    def __init__(self, config: TransformerConfig, layers: Layers) -> None:
        super().__init__()
        width, self.heads = config.width, config.heads
        self.query_key_value = layers.layer_norm_linear(width, 3 * width)
        self.relative_bias = nn.Parameter(torch.zeros(config.heads, config.window))
        self.merge = layers.linear(width, width)
        self.feed = layers.layer_norm_mlp(width, config.expansion * width)

    def project(self, x: torch.Tensor, batch: int) -> list[torch.Tensor]:
        """Queries, keys and values [B, heads, T, size]."""
        parts = self.query_key_value(x).chunk(3, dim=-1)
        return [part.reshape(batch, -1, self.heads, part.shape[-1] // self.heads).transpose(1, 2) for part in parts]

    def finish(self, x: torch.Tensor, q, k, v, distance: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Attend over keys and values, then the feed-forward branch; returns the stream."""
        attended = attention.attend(q, k, v, self.relative_bias, distance, mask)
        x = x + self.merge(attended.transpose(1, 2).reshape(x.shape))
        return x + self.feed(x)


class Tower(nn.Module):
    """The trunk under one head or both."""

    def __init__(self, config: TransformerConfig, observation_size: int, layers: Layers) -> None:
        super().__init__()
        self.layers = layers
        self.embed = nn.Linear(observation_size, config.width)
        self.blocks = nn.ModuleList(Block(config, layers) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width, eps=EPSILON)

    def step(self, keys, values, position: int, view, observation: torch.Tensor):
        """One step [B, D] over the rings of this tower's layers; returns the new rings and features [B, width]."""
        x = self.embed(observation)
        new_keys, new_values = [], []
        with self.layers.context(x.device.type):
            for block, k_ring, v_ring in zip(self.blocks, keys, values, strict=True):
                q, k, v = block.project(x, x.shape[0])  # pyright: ignore[reportCallIssue]
                new_keys.append(attention.write(k_ring, position, k))
                new_values.append(attention.write(v_ring, position, v))
                x = block.finish(x, q, new_keys[-1], new_values[-1], *view)  # pyright: ignore[reportCallIssue]
        return new_keys, new_values, self.norm(x.float())

    def sequence(self, keys, values, view, observation: torch.Tensor) -> torch.Tensor:
        """A trajectory [B, T, D] over the rings before it; returns features [B * T, width]."""
        x = self.embed(observation.flatten(0, 1))
        with self.layers.context(x.device.type):
            for block, k_ring, v_ring in zip(self.blocks, keys, values, strict=True):
                q, k, v = block.project(x, observation.shape[0])  # pyright: ignore[reportCallIssue]
                k, v = torch.cat([k_ring, k], dim=2), torch.cat([v_ring, v], dim=2)
                x = block.finish(x, q, k, v, *view)  # pyright: ignore[reportCallIssue]
        return self.norm(x.float())


class ActorCritic(nn.Module):
    """An actor-critic over time; `step` and `sequence` as in `lobjax.nets.interface`. Calling it is `sequence`."""

    def __init__(self, config: TransformerConfig, observation_size: int, outputs: int, layers: Layers) -> None:
        super().__init__()
        self.config = config
        self.towers = nn.ModuleList(Tower(config, observation_size, layers) for _ in range(n_towers(config)))
        self.actor, self.critic = nn.Linear(config.width, outputs), nn.Linear(config.width, 1)

    def initial_carry(self, n_envs: int) -> Cache:
        """The memory before any step."""
        config, device = self.config, self.actor.weight.device
        n_layers = config.layers * len(self.towers)
        size, kind = config.width // config.heads, activations(config.precision)
        return attention.empty_cache(n_envs, n_layers, config.heads, config.window, size, kind, device)

    def step(self, cache: Cache, observation: torch.Tensor, reset: torch.Tensor) -> tuple[Cache, Outputs]:
        """One step of observations f32[B, D]; returns the next cache and outputs f32[B, O], value f32[B]."""
        cache = attention.open_slot(cache, reset)
        view, keys, values, features = attention.step_view(cache), [], [], []
        for i, tower in enumerate(self.towers):
            own = slice(i * self.config.layers, (i + 1) * self.config.layers)
            k, v, x = tower.step(cache.keys[own], cache.values[own], cache.position, view, observation)  # pyright: ignore[reportCallIssue]
            keys, values, features = keys + k, values + v, [*features, x]
        position = (cache.position + 1) % self.config.window
        cache = Cache(tuple(keys), tuple(values), cache.valid, position)
        return cache, (self.actor(features[0]), self.critic(features[-1])[..., 0])

    def sequence(self, cache: Cache, observation: torch.Tensor, reset: torch.Tensor) -> Outputs:
        """A trajectory f32[T, B, D] from the cache before it; returns outputs f32[T, B, O], value f32[T, B]."""
        view, features = attention.sequence_view(cache, reset), []
        for i, tower in enumerate(self.towers):
            own = slice(i * self.config.layers, (i + 1) * self.config.layers)
            features.append(tower.sequence(cache.keys[own], cache.values[own], view, observation.transpose(0, 1)))  # pyright: ignore[reportCallIssue]
        length, batch = reset.shape
        outputs, value = self.actor(features[0]), self.critic(features[-1])[..., 0]
        return outputs.reshape(batch, length, -1).transpose(0, 1), value.reshape(batch, length).t()

    forward = sequence


def make_actor_critic(
    config: TransformerConfig, observation_size: int, bias: tuple[float, ...], layers: Layers
) -> ActorCritic:
    """A network whose outputs start near `bias`; orthogonal weights, as the Flax network's, from torch's generator."""
    model = ActorCritic(config, observation_size, len(bias), layers)
    residual = 1 / sqrt(2 * config.layers)
    scales = {
        "embed.weight": sqrt(2), "query_key_value.weight": 1.0, "merge.weight": residual, "feed.fc1_weight": sqrt(2),
        "feed.fc2_weight": residual, "actor.weight": config.output_scale, "critic.weight": 1.0,
    }  # fmt: skip
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            scale = next((s for end, s in scales.items() if name.endswith(end)), None)
            if scale is not None:
                nn.init.orthogonal_(parameter, scale)
            elif name.endswith("bias"):
                parameter.zero_()
        if model.actor.weight.device.type != "meta":
            model.actor.bias.copy_(torch.tensor(bias))
    return model
