"""From YAML to the configuration of a run in an arena, strictly.

arena: mixed                              # of configs/arena, a file, or the mapping itself
net: {kind: mlp, hidden: [64, 64]}        # of every group that learns, unless it says otherwise; so head and algorithm
learn: {market_maker: {}, momentum: {algorithm: {learning_rate: 1e-3}}}       # or a list of names
plays: {execution: twap, arbitrageur: {agent: runs/a/agents/arbitrageur}, rival: {pool: market_maker}}
"""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from lobjax import packaged, plugins
from lobjax.arena import ArenaConfig, arena_config
from lobjax.config import build, load_yaml, override
from lobjax.errors import InputError, nearest
from lobjax.learn.arena.config import ArenaTrainConfig
from lobjax.learn.arena.groups import GroupLearner
from lobjax.ranges import shown

_SHARED = ("net", "head", "algorithm")
_PLAYS = ("rule", "agent", "pool")


def load_arena_config(name: str | Path | Mapping[str, Any], *assignments: str) -> ArenaTrainConfig:
    """A run's configuration: a YAML file, one that comes with the package by its name such as "arena_smoke", or a mapping.

    `assignments` such as "n_envs=64" replace values of it. InputError says what is wrong, and where.
    """
    found = dict(name) if isinstance(name, Mapping) else load_yaml(packaged.configuration(name, "train"))
    if isinstance(found.get("arena"), str) and any(assignment.startswith("arena.") for assignment in assignments):
        found["arena"] = load_yaml(packaged.configuration(found["arena"], "arena"))
    return arena_config_from(override(found, list(assignments)))


def arena_config_from(data: Any) -> ArenaTrainConfig:
    """The configuration of a mapping, as a person writes it or as `lobjax.config.to_dict` does; InputError where it is none."""
    if not isinstance(data, Mapping):
        raise InputError(f"config: expected a mapping, found {type(data).__name__} {shown(data)}")
    data = dict(data)
    plugins.load_named(data)
    for wanted in ("arena", "learn"):
        if wanted not in data:
            raise InputError(f"config: missing key '{wanted}'; add it")
    shared = {name: data.pop(name) for name in _SHARED if name in data}
    data["arena"] = _arena(data["arena"])
    data["learn"] = [_learner(name, said, shared) for name, said in _entries(data["learn"], "learn")]
    data["plays"] = [_play(name, said) for name, said in _entries(data.get("plays") or {}, "plays")]
    return build(ArenaTrainConfig, data)


def _arena(said: Any) -> ArenaConfig:
    if isinstance(said, ArenaConfig):
        return said
    if isinstance(said, str):
        path = packaged.configuration(said, "arena")
        return arena_config(load_yaml(path), str(path))
    return arena_config(said, "config.arena")


def _entries(said: Any, where: str) -> list[tuple[str, Any]]:
    """Groups with what is said of each: from a mapping, a list of names, or a list of mappings with a name each."""
    if isinstance(said, Mapping):
        return [(str(name), one) for name, one in said.items()]
    if not isinstance(said, (list, tuple)):
        raise InputError(f"config.{where}: expected groups by name, found {type(said).__name__} {shown(said)}")
    found: list[tuple[str, Any]] = []
    for one in said:
        if isinstance(one, str):
            found.append((one, None))
        elif isinstance(one, Mapping) and isinstance(one.get("name"), str):
            found.append((one["name"], {key: value for key, value in one.items() if key != "name"}))
        else:
            raise InputError(f"config.{where}: expected the name of a group, found {type(one).__name__} {shown(one)}")
    return found


def _learner(name: str, said: Any, shared: Mapping[str, Any]) -> dict[str, Any]:
    where = f"config.learn.{name}"
    if said is not None and not isinstance(said, Mapping):
        raise InputError(f"{where}: expected a mapping, found {type(said).__name__} {shown(said)}")
    known = [one.name for one in fields(GroupLearner) if one.name != "name"]
    for key in said or {}:
        if key not in known:
            raise InputError(f"{where}: unknown key {shown(str(key))}; {nearest(str(key), known)}")
    made = {"name": name, **shared, **(said or {})}
    if isinstance(made.get("algorithm"), Mapping):
        general = shared.get("algorithm")
        # One number of a group's own leaves the others as they are for all, unless it names another algorithm.
        base = dict(general) if isinstance(general, Mapping) and "kind" not in made["algorithm"] else {}
        made["algorithm"] = {"kind": "ppo"} | base | dict(made["algorithm"])
    return made


def _play(name: str, said: Any) -> dict[str, Any]:
    where = f"config.plays.{name}"
    if isinstance(said, Mapping) and set(said) == {"play"}:  # as `to_dict` writes it
        return {"name": name, "play": said["play"]}
    if isinstance(said, str):
        return {"name": name, "play": {"kind": "rule", "rule": said}}
    kinds = [key for key in said if key in _PLAYS] if isinstance(said, Mapping) else []
    if isinstance(said, Mapping) and (unknown := [str(key) for key in said if key not in (*_PLAYS, "actions")]):
        raise InputError(f"{where}: unknown key {shown(unknown[0])}; {nearest(unknown[0], _PLAYS)}")
    if not isinstance(said, Mapping) or len(kinds) != 1:
        raise InputError(
            f"{where}: expected a rule's name, or one of {', '.join(_PLAYS)} with what it is; found {shown(said)}"
        )
    return {"name": name, "play": {"kind": kinds[0], **said}}
