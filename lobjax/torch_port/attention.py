"""Causal attention over a window of environment steps and its ring of keys and values: `lobjax.nets.attention` in torch.

Distances, masks and the order of slots are the same; see there for the rules.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F


class Cache(NamedTuple):
    """Keys and values of the last `window` steps of every layer; functions return a new one and leave theirs as it was."""

    keys: tuple[torch.Tensor, ...]  # one per layer, [B, heads, window, width / heads], in the type of activations
    values: tuple[torch.Tensor, ...]  # likewise
    valid: torch.Tensor  # bool[B, window]: the slot holds a step of the running episode
    position: int  # the slot that the next step writes

    def take(self, index: torch.Tensor) -> "Cache":
        """The cache of the environments `index` int64[b]."""
        keys, values = (tuple(x[index] for x in part) for part in (self.keys, self.values))
        return Cache(keys, values, self.valid[index], self.position)


def empty_cache(
    n_envs: int, layers: int, heads: int, window: int, head_size: int, dtype: torch.dtype, device: torch.device
) -> Cache:
    """A cache that holds nothing, for `n_envs` environments."""
    blank = tuple(torch.zeros(n_envs, heads, window, head_size, dtype=dtype, device=device) for _ in range(layers))
    return Cache(blank, blank, torch.zeros(n_envs, window, dtype=torch.bool, device=device), 0)


def open_slot(cache: Cache, reset: torch.Tensor) -> Cache:
    """Make the slot at `position` valid for the step to come, after forgetting the episodes that ended (`reset` bool[B])."""
    valid = cache.valid & ~reset[:, None]
    valid[:, cache.position] = True
    return cache._replace(valid=valid)


def write(ring: torch.Tensor, position: int, entry: torch.Tensor) -> torch.Tensor:
    """A ring [B, heads, window, size] with `entry` [B, heads, 1, size] in slot `position`."""
    ring = ring.clone()
    ring[:, :, position : position + 1] = entry
    return ring


def step_view(cache: Cache) -> tuple[torch.Tensor, torch.Tensor]:
    """Distances int64[1, window] and mask bool[B, 1, window] of one step over the ring, its own slot open and written."""
    window = cache.valid.shape[1]
    slots = torch.arange(window, device=cache.valid.device)
    return ((cache.position - slots) % window)[None], cache.valid[:, None]


def sequence_view(cache: Cache, reset: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Distances int64[T, window + T] and mask bool[B, T, window + T] of a trajectory, `reset` bool[T, B], over the ring and itself."""
    window, length = cache.valid.shape[1], reset.shape[0]
    slots, time = (torch.arange(n, device=reset.device) for n in (window, length))
    age = 1 + (cache.position - 1 - slots) % window
    distance = time[:, None] - torch.cat([-age, time])[None]
    episode = reset.cumsum(0).t()
    before = cache.valid[:, None] & (episode == 0)[:, :, None]
    same = torch.cat([before, episode[:, :, None] == episode[:, None, :]], dim=2)
    return distance, same & (distance >= 0) & (distance < window)


def attend(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, bias: torch.Tensor, distance: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """Attention of queries [B, heads, T, size] over keys and values [B, heads, S, size]; softmax in single precision.

    `bias` f32[heads, window] is added by distance int64[T, S]; what `mask` bool[B, T, S] leaves out has no weight.
    """
    # As an embedding: its gradient is summed in a fixed order, that of an index is not.
    relative = F.embedding(distance.clamp(0, bias.shape[1] - 1), bias.t()).permute(2, 0, 1)
    scores = (q @ k.transpose(-1, -2)).float() * q.shape[-1] ** -0.5 + relative
    weights = scores.masked_fill(~mask[:, None], torch.finfo(torch.float32).min).softmax(dim=-1)
    return weights.to(v.dtype) @ v
