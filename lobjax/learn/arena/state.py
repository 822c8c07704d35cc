"""All that a run in an arena is at one moment; saved, restored and hashed as it stands."""

from typing import Any

import jax
from flax import struct

from lobjax.arena import ArenaParams
from lobjax.nets.statistics import Statistics


@struct.dataclass
class Agent:
    """A group that learns; its seats share this."""

    params: Any  # {"net": ..., "head": ...}
    moments: Any  # the optimiser's state
    statistics: Statistics  # of observations
    returns: Any  # statistics of discounted returns, where rewards are normalised


@struct.dataclass
class Pool:
    """Past selves of a group; leaves lead with the P places."""

    params: Any
    statistics: Statistics
    progress: jax.Array  # f32[P], of the run when it was added
    added: jax.Array  # int32[P]: it was the so-many-th that was added; -1 where the place is empty
    loss: jax.Array  # f32[P], see `lobjax.learn.arena.config.OpponentsConfig`


@struct.dataclass
class Shared:
    """What all environments and devices have in common; mappings are by group."""

    agents: dict[str, Agent]
    pools: dict[str, Pool]  # of groups that learn, where there are opponents
    outcomes: dict[str, Statistics]  # f32[] of episodes' returns, likewise
    key: jax.Array  # key[], constant: minibatches derive from it and the update
    update: jax.Array  # int32[]: updates done


@struct.dataclass
class Local:
    """What belongs to single environments; leaves lead with [B] (scalars of carries are shared); mappings are by group."""

    index: jax.Array  # int32[B]: the number of the environment among those of all devices
    key: jax.Array  # key[B], constant
    state: Any  # the arena's
    observation: dict[str, jax.Array]  # f32[B, S, D]
    reset: jax.Array  # bool[B]: that is the first of an episode
    carry: dict[str, Any]  # [B, S, ...], memories of networks that play now
    past_carry: dict[str, Any]  # likewise of past selves
    drawn: dict[str, jax.Array]  # int32[B]: which past self plays this episode
    paid: dict[str, jax.Array]  # f32[B, S]: rewards of this episode so far, of groups that learn
    returned: dict[str, jax.Array]  # f32[B, S]: the same, discounted, where rewards are normalised


@struct.dataclass
class ArenaTrainState:
    """See the module's text."""

    shared: Shared
    local: Local


@struct.dataclass
class Constants:
    """What a run is given and does not change."""

    arena: ArenaParams
    frozen: dict[str, Any]  # by group that a saved agent plays: {"params", "statistics"}
