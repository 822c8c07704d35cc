"""The saved agent: the only thing that passes from training to backtesting."""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.config import build, to_dict
from lobjax.env.spaces import MultiDiscrete, Simplex
from lobjax.errors import InputError
from lobjax.files import whole_file
from lobjax.nets import (
    Categoricals,
    CategoricalsConfig,
    Head,
    HeadConfig,
    LogisticNormalConfig,
    NetConfig,
    SimplexHeadConfig,
    make_net,
    make_simplex_head,
)
from lobjax.nets.statistics import Statistics, normalise, unit_statistics
from lobjax.ranges import Range, check

FILE = "policy.npz"
SPACES = {"Simplex": Simplex, "MultiDiscrete": MultiDiscrete}


class Policy(Protocol):
    """Whatever acts: a trained agent or a rule. Pure and batched, so that it runs inside a compiled evaluation."""

    def initial_carry(self, n_envs: int) -> Any:
        """What the policy carries from step to step, for `n_envs` environments."""
        ...

    def act(self, key: jax.Array, carry: Any, observation: jax.Array, reset: jax.Array) -> tuple[Any, jax.Array]:
        """The next carry and actions [B, ...] for observations f32[B, D]; `reset` bool[B] marks first observations."""
        ...


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
class LoadedPolicy:
    """An agent read from disk; a `Policy`. `deterministic`: it plays the head's mode rather than a sample."""

    config: PolicyConfig
    params: Any
    statistics: Statistics
    deterministic: bool = True

    def initial_carry(self, n_envs: int) -> Any:
        return _net(self.config).initial_carry(n_envs)

    def act(self, key: jax.Array, carry: Any, observation: jax.Array, reset: jax.Array) -> tuple[Any, jax.Array]:
        head = make_head(self.config.space, self.config.head)
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
    """The action head for a space; `config` None: a logistic normal on a simplex, categoricals on choices.

    InputError where the two do not belong together.
    """
    try:
        if isinstance(space, Simplex) and isinstance(config, SimplexHeadConfig | None):
            return make_simplex_head(space.n, config or LogisticNormalConfig())
        if isinstance(space, MultiDiscrete) and isinstance(config, CategoricalsConfig | None):
            return Categoricals(space.nvec, config or CategoricalsConfig())
    except ValueError as error:
        raise InputError(f"config.head: {error}") from None
    kind = "its own" if config is None else f"'{config.kind}'"
    raise InputError(f"config.head: no head of kind {kind} acts in {space}; leave it out to take the default")


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


def load_policy(directory: str | Path, *, deterministic: bool = True) -> LoadedPolicy:
    """Read the agent that `save_policy` wrote; InputError when it is missing, torn or not an agent."""
    path = Path(directory) / FILE
    arrays = _read(path)
    try:
        about = json.loads(str(arrays.pop("config")))
        space = dict(about["space"])
        space_class = SPACES[space.pop("class")]
        about["space"] = space_class(**{k: tuple(v) if isinstance(v, list) else v for k, v in space.items()})
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: does not describe an agent ({error!r}); save it again") from None
    config = build(PolicyConfig, about, str(path))
    template = jax.eval_shape(lambda: _blank(config))
    wanted = dict(_named(template))
    if {k: (v.shape, v.dtype) for k, v in arrays.items()} != {k: (v.shape, v.dtype) for k, v in wanted.items()}:
        raise InputError(f"{path}: its arrays do not fit its configuration; the file is damaged, save it again")
    tree = jax.tree.unflatten(jax.tree.structure(template), [jnp.asarray(arrays[name]) for name in wanted])
    return LoadedPolicy(config, tree["params"], tree["statistics"], deterministic)


def _net(config: PolicyConfig):
    return make_net(config.net, config.observation_size, make_head(config.space, config.head))


def _blank(config: PolicyConfig) -> dict[str, Any]:
    params = {"net": _net(config).init(jax.random.key(0)), "head": make_head(config.space, config.head).init()}
    return {"params": params, "statistics": unit_statistics(config.observation_size)}


def _named(tree: Any) -> list[tuple[str, Any]]:
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return [(jax.tree_util.keystr(path, simple=True, separator="."), leaf) for path, leaf in leaves]


def _read(path: Path) -> dict[str, np.ndarray]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:  # numpy leaks the file on errors
            return dict(archive)
    except FileNotFoundError:
        raise InputError(f"{path}: no saved agent there; a finished run leaves one in its folder") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: not a whole saved agent ({error}); save it again") from None
