"""Saved agents of an arena, one a group: DIR/agents/GROUP/policy.npz, which `lobjax.policy` reads, and agent.json beside it.

policy.npz says sizes; agent.json says what the numbers of an observation are, of which role and with what numbers of it the agent was
trained, and the digest of its parameters.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, TypedDict

from lobjax.arena import Arena, ArenaConfig, Group
from lobjax.config import to_dict
from lobjax.errors import InputError
from lobjax.files import whole_file
from lobjax.learn.arena.config import ArenaTrainConfig
from lobjax.learn.arena.groups import GroupLearner
from lobjax.learn.checkpoint import digest
from lobjax.nets.statistics import Statistics
from lobjax.policy import LoadedPolicy, PolicyConfig, load_policy, save_policy
from lobjax.reading import exists
from lobjax.schema import read_shape

FOLDER, ABOUT = "agents", "agent.json"


class About(TypedDict):
    """agent.json."""

    format: Literal[1]
    group: str
    role: dict[str, Any]
    observation_names: list[str]
    digest: str


def policy_config(learner: GroupLearner, arena: Arena, group: Group, normalises: bool) -> PolicyConfig:
    """What a saved agent of a group says of itself."""
    return PolicyConfig(
        task="arena", actions=group.role.name, observation_size=len(arena.observation_names(group)), space=group.role.action_space,
        net=learner.net, head=learner.head, normalise_observations=normalises,
    )  # fmt: skip


def save_agent(
    folder: Path, config: ArenaTrainConfig, arena: Arena, group: Group, params: Any, statistics: Statistics
) -> Path:
    """Write the agent of a group below the folder of a run; returns its own folder."""
    learner = next(one for one in config.learn if one.name == group.name)
    path = folder / FOLDER / group.name
    path.mkdir(parents=True, exist_ok=True)
    about: About = {
        "format": 1,
        "group": group.name,
        "role": to_dict(role_config(config.arena, group.name)),
        "observation_names": list(arena.observation_names(group)),
        "digest": digest({"params": params, "statistics": statistics}),
    }
    save_policy(path, params, statistics, policy_config(learner, arena, group, config.normalise_observations))
    with whole_file(path / ABOUT) as temporary:
        temporary.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return path


def load_agent(folder: Path, arena: Arena, group: Group, *, deterministic: bool = True) -> LoadedPolicy:
    """The agent in a folder (of its own, or of a run that trained the group), for a group of an arena.

    InputError where there is none ("not trained"), where it is damaged, and where it is of another role, sees or chooses something else.
    """
    path = _home(folder, group)
    agent = load_policy(path, deterministic=deterministic)
    about = read_shape(About, path / ABOUT, advice="save the agent again")
    if digest({"params": agent.params, "statistics": agent.statistics}) != about["digest"]:
        raise InputError(f"{path}: its parameters are not those that {ABOUT} names; save the agent again")
    if agent.config.actions != group.role.name:
        raise InputError(
            f"{path}: an agent of the role '{agent.config.actions}', and '{group.name}' is '{group.role.name}'; name another"
        )
    names = list(arena.observation_names(group))
    if about["observation_names"] != names:
        other = next(_different(about["observation_names"], names))
        raise InputError(
            f"{path}: it was trained to see other things than '{group.name}' does ({other}); give the arena what it had"
        )
    if agent.config.space != group.role.action_space:
        raise InputError(
            f"{path}: it acts in {agent.config.space}, '{group.name}' in {group.role.action_space}; give the role what it had"
        )
    return agent


def role_config(config: ArenaConfig, name: str) -> Any:
    """The numbers of the role that a group plays."""
    return next(group.role for group in config.roles if group.name == name)


def _home(folder: Path, group: Group) -> Path:
    for path in (folder, folder / FOLDER / group.name):
        if exists(path / "policy.npz"):
            return path
    raise InputError(
        f"{folder}: not trained, there is no agent for '{group.name}'; train one with `python -m train arena`"
    )


def _different(theirs: list[str], ours: list[str]) -> Iterator[str]:
    yield from (f"'{name}' is not there now" for name in theirs if name not in ours)
    yield from (f"'{name}' is new" for name in ours if name not in theirs)
    yield "the same, in another order"
