"""Environments for agents of other libraries: Gymnasium's interfaces (extra `gym`), NumPy in and out.

    envs = make_vec("configs/train/execution.yaml", n_envs=64)  # a `gymnasium.vector.VectorEnv`, one compiled program
    env = LobjaxEnv("configs/train/execution.yaml")  # a `gymnasium.Env`
    env = gymnasium.make("lobjax.env.gymnasium:lobjax/Execution-v0", render_mode="ansi")
    envs = gymnasium.make_vec("lobjax.env.gymnasium:lobjax/Market-v0", num_envs=64, config="configs/train/execution.yaml")

Ids, registered when this package is imported: `lobjax/Execution-v0` and `lobjax/MarketMaking-v0` (their default configurations, if no
`config` is given), `lobjax/Snapshot-v0` and `lobjax/Market-v0` (any task), which need one. Keywords: `config`, `assignments`,
`render_mode`, and for vectors `autoreset_mode` and `max_episode_steps`.

A process that has used JAX cannot be forked: pass `context="spawn"` to `AsyncVectorEnv`. A vector environment of this package
needs no processes.
"""

from pathlib import Path

from lobjax.errors import InputError

try:
    import gymnasium
    from gymnasium.vector import AutoresetMode
except ImportError as error:
    raise InputError(f"gymnasium 1.1 or newer is needed ({error}); pip install 'lobjax[gym]'") from None

from lobjax.env.gymnasium.actions import shares
from lobjax.env.gymnasium.arguments import InvalidArgument
from lobjax.env.gymnasium.programs import programs_of_config
from lobjax.env.gymnasium.single import LobjaxEnv
from lobjax.env.gymnasium.sources import config_of
from lobjax.env.gymnasium.vector import LobjaxVectorEnv
from lobjax.tasks import EnvConfig

__all__ = ["ID", "IDS", "InvalidArgument", "LobjaxEnv", "LobjaxVectorEnv", "make_vec", "shares"]

ID = "lobjax/Market-v0"
IDS = {  # and the task that each is for
    ID: None,
    "lobjax/Execution-v0": "execution",
    "lobjax/MarketMaking-v0": "market_making",
    "lobjax/Snapshot-v0": "snapshot",
}


def make_vec(
    config: str | Path | EnvConfig | None,
    n_envs: int,
    assignments: tuple[str, ...] = (),
    *,
    task: str | None = None,
    autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
    render_mode: str | None = None,
    max_episode_steps: int | None = None,
) -> LobjaxVectorEnv:
    """The vector environment of a configuration: the section `env` of a YAML file (a training configuration has one), or an `EnvConfig`.

    `assignments` change its values, as "env.task.lots=20". `task`: the only kind that is accepted; its default configuration stands
    in for a `config` of None. The rest as for `LobjaxVectorEnv`. InputError for a bad one.
    """
    programs = programs_of_config(config_of(config, assignments, task))
    return LobjaxVectorEnv(
        programs.env, n_envs, autoreset_mode=autoreset_mode, render_mode=render_mode, max_episode_steps=max_episode_steps
    )  # fmt: skip


def _registered(*, num_envs: int, config: str | Path | EnvConfig | None = None, **keywords) -> LobjaxVectorEnv:
    """`make_vec` as Gymnasium calls it."""
    return make_vec(config, num_envs, **keywords)


for _id, _task in IDS.items():
    if _id not in gymnasium.registry:
        gymnasium.register(
            _id,
            entry_point=f"{__name__}:LobjaxEnv",
            vector_entry_point=f"{__name__}:_registered",
            kwargs={"task": _task} if _task else {},
        )
