"""The saved agent: the only thing that passes from training to backtesting."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import chex
import jax
import jax.numpy as jnp
import numpy as np

from lobjax.config import build, to_dict
from lobjax.env.spaces import MultiDiscrete, Simplex
from lobjax.errors import InputError
from lobjax.files import whole_file
from lobjax.nets import HEADS, Head, HeadConfig, NetConfig, head_on, make_net
from lobjax.nets.heads import SPACES as HEAD_SPACES
from lobjax.nets.statistics import Statistics, normalise, unit_statistics
from lobjax.players import Policy
from lobjax.ranges import Range, check
from lobjax.reading import exists, parsing, read_npz
from lobjax.registry import entry_of
from lobjax.settings import drawing, key_of, settled

FILE = "policy.npz"
SIMPLEX, CHOICES = HEAD_SPACES
SPACES = {"Simplex": Simplex, "MultiDiscrete": MultiDiscrete}
_MOST_TEXT = 1 << 20  # characters of a configuration
_AGAIN = "save it again"


@dataclass(frozen=True, kw_only=True)
class PolicyConfig:
    """All that rebuilds an agent around its numbers; `progress` (0 to 1) is how far training had come."""

    task: str
    actions: str  # what they mean, as `Environment.actions`
    observation_size: Annotated[int, Range(1, 1 << 20)]
    space: Any
    net: NetConfig
    head: HeadConfig | None = None
    normalise_observations: bool = True
    progress: Annotated[float, Range(0.0, 1.0)] = 1.0

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class LoadedPolicy(Policy):
    """An agent read from disk. `deterministic`: it plays the head's mode rather than a sample."""

    config: PolicyConfig
    params: Any
    statistics: Statistics
    deterministic: bool = True

    def initial_carry(self, n_envs: int) -> Any:
        return _net(self.config).initial_carry(n_envs)

    @drawing
    def act(self, key: jax.Array, carry: Any, observation: jax.Array, reset: jax.Array) -> tuple[Any, jax.Array]:
        head = make_head(self.config.space, self.config.head)
        observation = jnp.asarray(observation, jnp.float32)
        chex.assert_shape(observation, (None, self.config.observation_size))
        chex.assert_shape(reset, observation.shape[:1])
        chex.assert_type(reset, bool)
        if self.config.normalise_observations:
            observation = normalise(self.statistics, observation)
        carry, (outputs, _) = _net(self.config).step(self.params["net"], carry, observation, reset)
        inputs = head.inputs(self.params["head"], outputs, self.config.progress)
        raw = head.mode(inputs) if self.deterministic else head.sample(key, inputs)
        return carry, head.to_action(raw)

    def check(self, env: Any) -> None:
        """Refuse an environment that this agent was not trained for, in one line (InputError)."""
        config, advice = self.config, "use the environment settings it was trained with"
        if env.name != config.task:
            raise InputError(
                f"policy: trained for the task '{config.task}', not '{env.name}'; choose an agent of the task"
            )
        if env.observation_size != config.observation_size:
            sizes = f"reads {config.observation_size} numbers, '{env.name}' gives {env.observation_size}"
            raise InputError(f"policy: {sizes}; {advice}")
        if env.action_space != config.space:
            raise InputError(f"policy: acts in {config.space}, '{env.name}' wants {env.action_space}; {advice}")
        if env.actions != config.actions:
            raise InputError(f"policy: its actions mean '{config.actions}', here they mean '{env.actions}'; {advice}")


def make_head(space: Any, config: HeadConfig | None) -> Head:
    """The action head for a space; `config` None: the default one, a logistic normal on a simplex, categoricals on choices.

    InputError where the two do not belong together.
    """
    place = _place(space)
    if place is None or (config is not None and entry_of(HEADS, config).space != place[0]):
        kind = "its own" if config is None else f"'{config.kind}'"
        raise InputError(f"config.head: no head of kind {kind} acts in {space}; leave it out to take the default")
    try:
        return head_on(*place, config)
    except ValueError as error:
        raise InputError(f"config.head: {error}") from None


def _place(space: Any) -> tuple[str, Any] | None:
    """A space by its name among heads, and its size."""
    if isinstance(space, Simplex):
        return SIMPLEX, space.n
    return (CHOICES, space.nvec) if isinstance(space, MultiDiscrete) else None


def save_policy(directory: str | Path, params: Any, statistics: Statistics, config: PolicyConfig) -> Path:
    """Write the agent into `directory`/policy.npz, whole or not at all; returns the file's path.

    `params` is {"net": ..., "head": ...}. The file holds every array under its path and the configuration as JSON.
    """
    if type(config.space).__name__ not in SPACES:
        raise InputError(f"policy: cannot save an agent that acts in {config.space}; known: {', '.join(SPACES)}")
    about = {**to_dict(config), "space": {"class": type(config.space).__name__, **to_dict(config.space)}}
    arrays = {name: np.asarray(leaf) for name, leaf in _named({"params": params, "statistics": statistics})}
    path = Path(directory) / FILE
    with whole_file(path) as temporary:
        np.savez(temporary, config=np.array(json.dumps(about)), **arrays)  # type: ignore[arg-type]
    return path


@settled
def load_policy(directory: str | Path, *, deterministic: bool = True) -> LoadedPolicy:
    """Read the agent that `save_policy` wrote; InputError when it is missing, torn, not an agent, or not of finite numbers."""
    path = Path(directory) / FILE
    return policy_of(read_agent(path), path, deterministic=deterministic)


def read_agent(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays of a saved agent as they lie in the file, the configuration as one of them; InputError as `load_policy`."""
    if not exists(path):
        raise InputError(f"{path}: no saved agent there; a finished run leaves one in its folder")
    return read_npz(path, advice=_AGAIN)


def policy_of(arrays: Mapping[str, np.ndarray], path: str | Path, *, deterministic: bool = True) -> LoadedPolicy:
    """The agent of a file's arrays; InputError, which names `path`, where they are none."""
    given = {name: array for name, array in arrays.items() if name != "config"}
    about = _about(arrays, path)
    _check_sizes(about, given, path)
    with parsing(path, "the description of an agent", _AGAIN):
        space = dict(about["space"])
        space_class = SPACES[space.pop("class")]
        about["space"] = space_class(**{k: tuple(v) if isinstance(v, list) else v for k, v in space.items()})
    config = build(PolicyConfig, about, str(path))
    try:
        template = jax.eval_shape(lambda: _blank(config))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    wanted = dict(_named(template))
    if {k: (v.shape, v.dtype) for k, v in given.items()} != {k: (v.shape, v.dtype) for k, v in wanted.items()}:
        raise InputError(f"{path}: its arrays do not fit its configuration; the file is damaged, {_AGAIN}")
    for name, array in given.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise InputError(
                f"{path}: '{name}' has numbers that are not finite, its training had diverged; train it again"
            )
    tree = jax.tree.unflatten(jax.tree.structure(template), [jnp.asarray(given[name]) for name in wanted])
    if (given["statistics.variance"] < 0).any() or given["statistics.count"] < 0:
        raise InputError(
            f"{path}: its statistics of observations are none of any sample; the file is damaged, {_AGAIN}"
        )
    return LoadedPolicy(config, tree["params"], tree["statistics"], deterministic)


def _about(arrays: Mapping[str, np.ndarray], path: str | Path) -> dict[str, Any]:
    """The configuration that a file holds, as a mapping that nothing has been checked of."""
    text = arrays.get("config")
    if text is None or text.dtype.kind != "U" or text.ndim or text.itemsize > 4 * _MOST_TEXT:
        raise InputError(f"{path}: holds no configuration of an agent; {_AGAIN}")
    with parsing(path, "the description of an agent", _AGAIN):
        about = json.loads(str(text))
        if not isinstance(about, dict):
            raise ValueError(f"a {type(about).__name__} where its settings should be")
    return about


def _check_sizes(about: dict[str, Any], arrays: Mapping[str, np.ndarray], path: str | Path) -> None:
    """InputError where a size is no whole number, or more than there are numbers: a network of it is then never even described."""
    most = sum(array.size for array in arrays.values())
    places = [(name, about.get(name)) for name in ("observation_size", "space", "net", "head")]
    while places:
        name, value = places.pop()
        if isinstance(value, (dict, list)):
            if len(value) > (most if name == "nvec" else max(len(arrays), 16)):
                raise InputError(
                    f"{path}: its configuration has {len(value):,} values in '{name}', of {len(arrays):,} arrays; {_AGAIN}"
                )
            places += value.items() if isinstance(value, dict) else [(name, each) for each in value]
        elif name in ("n", "nvec", "observation_size") and type(value) is not int:
            raise InputError(f"{path}: its configuration has {value!r:.40} as '{name}', not a whole number; {_AGAIN}")
        elif type(value) is int and not 0 <= value <= most:
            raise InputError(
                f"{path}: its configuration has {value!r:.40} as '{name}', of {most:,} numbers in its arrays; {_AGAIN}"
            )


def _net(config: PolicyConfig):
    return make_net(config.net, config.observation_size, make_head(config.space, config.head))


def _blank(config: PolicyConfig) -> dict[str, Any]:
    params = {"net": _net(config).init(key_of(0)), "head": make_head(config.space, config.head).init()}
    return {"params": params, "statistics": unit_statistics(config.observation_size)}


def _named(tree: Any) -> list[tuple[str, Any]]:
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return [(jax.tree_util.keystr(path, simple=True, separator="."), leaf) for path, leaf in leaves]
