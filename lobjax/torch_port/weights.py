"""Weights across frameworks: one table of names, transposes, nothing else. The round trip keeps every bit.

Flax's tree is written with dots (`towers_0.blocks_1.merge.kernel`); torch's names are those of Transformer Engine's modules. A kernel is
[in, out] in Flax and [out, in] in torch.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from lobjax.errors import InputError


class Pair(NamedTuple):
    """One kind of parameter in both frameworks; `{tower}` and `{block}` are numbers."""

    flax: str
    torch: str
    transposed: bool = False


_BLOCK, _THEIRS = "towers_{tower}.blocks_{block}.", "towers.{tower}.blocks.{block}."
TABLE = (
    Pair("towers_{tower}.embed.kernel", "towers.{tower}.embed.weight", True),
    Pair("towers_{tower}.embed.bias", "towers.{tower}.embed.bias"),
    Pair(_BLOCK + "attention_norm.scale", _THEIRS + "query_key_value.layer_norm_weight"),
    Pair(_BLOCK + "attention_norm.bias", _THEIRS + "query_key_value.layer_norm_bias"),
    Pair(_BLOCK + "query_key_value.kernel", _THEIRS + "query_key_value.weight", True),
    Pair(_BLOCK + "relative_bias", _THEIRS + "relative_bias"),
    Pair(_BLOCK + "merge.kernel", _THEIRS + "merge.weight", True),
    Pair(_BLOCK + "merge.bias", _THEIRS + "merge.bias"),
    Pair(_BLOCK + "feed_norm.scale", _THEIRS + "feed.layer_norm_weight"),
    Pair(_BLOCK + "feed_norm.bias", _THEIRS + "feed.layer_norm_bias"),
    Pair(_BLOCK + "up.kernel", _THEIRS + "feed.fc1_weight", True),
    Pair(_BLOCK + "up.bias", _THEIRS + "feed.fc1_bias"),
    Pair(_BLOCK + "down.kernel", _THEIRS + "feed.fc2_weight", True),
    Pair(_BLOCK + "down.bias", _THEIRS + "feed.fc2_bias"),
    Pair("towers_{tower}.norm.scale", "towers.{tower}.norm.weight"),
    Pair("towers_{tower}.norm.bias", "towers.{tower}.norm.bias"),
    Pair("actor.kernel", "actor.weight", True),
    Pair("actor.bias", "actor.bias"),
    Pair("critic.kernel", "critic.weight", True),
    Pair("critic.bias", "critic.bias"),
)


def from_flax(params: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """The state dict of a Flax Transformer's parameters (a nested mapping of arrays). InputError for one that is no such network."""
    return {
        name: torch.from_numpy(np.array(array.T if pair.transposed else array, order="C", copy=True))
        for name, pair, array in (_cross(name, np.asarray(array), "flax") for name, array in flatten(params).items())
    }


def to_flax(state: Mapping[str, torch.Tensor]) -> dict[str, Any]:
    """The nested parameters, NumPy arrays, of a state dict; what Transformer Engine adds to one (`_extra_state`) is dropped."""
    tree: dict[str, Any] = {}
    for name, value in state.items():
        if name.endswith("_extra_state"):
            continue
        theirs, pair, array = _cross(name, value.detach().cpu().numpy(), "torch")
        *parents, leaf = theirs.split(".")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[leaf] = np.array(array.T if pair.transposed else array, order="C", copy=True)
    return tree


def load_into(model: nn.Module, state: Mapping[str, torch.Tensor]) -> None:
    """Put a state dict into a model; InputError where a name is missing, unknown, or of another size."""
    have = {name: value for name, value in model.state_dict().items() if not name.endswith("_extra_state")}
    given = {name: value for name, value in state.items() if not name.endswith("_extra_state")}
    for name in sorted(have.keys() | given.keys()):
        if name not in given:
            raise InputError(f"weights: '{name}' is missing; they are of another network, use its configuration")
        if name not in have:
            raise InputError(f"weights: '{name}' has no place in this network; use the configuration they came from")
        if have[name].shape != given[name].shape:
            raise InputError(
                f"weights: '{name}' is {tuple(given[name].shape)}, this network wants {tuple(have[name].shape)}; "
                "use the configuration they came from"
            )
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(given[name])


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A nested mapping as one of dotted names."""
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        flat |= flatten(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return flat


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(
        re.escape(template).replace(r"\{tower\}", r"(?P<tower>\d+)").replace(r"\{block\}", r"(?P<block>\d+)")
    )


_PATTERNS = {side: [(_pattern(getattr(pair, side)), pair) for pair in TABLE] for side in ("flax", "torch")}


def _cross(name: str, array: np.ndarray, side: str) -> tuple[str, Pair, np.ndarray]:
    """The name on the other side, its entry of the table and the array."""
    for pattern, pair in _PATTERNS[side]:
        if found := pattern.fullmatch(name):
            other = pair.torch if side == "flax" else pair.flax
            return other.format(**found.groupdict()), pair, array
    raise InputError(f"weights: '{name}' is no parameter of a Transformer; only Transformer policies cross")
