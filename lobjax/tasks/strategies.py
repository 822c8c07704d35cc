"""The rule-based strategies of a task, by name."""

from lobjax.env import Environment, EnvParams
from lobjax.errors import InputError, nearest
from lobjax.settings import settled
from lobjax.strategies import ModelsConfig, Strategy
from lobjax.tasks.registry import TASKS, Field


@settled
def strategies(
    env: Environment,
    params: EnvParams,
    names: tuple[str, ...] | None = None,
    profile_env: Environment | None = None,
    models: ModelsConfig | None = None,
) -> dict[str, Strategy]:
    """The strategies of an environment's task (those that play unless others are named), in the order named.

    InputError for a name that the task does not know. VWAP's profile, and what `models` leaves open, are measured on `profile_env` (by
    default `env` itself) with keys that no evaluation uses: give an environment on other days or hours where the flow is recorded.
    `symmetric` stands for a quoter at each of the task's offsets.
    """
    own = TASKS[env.name].strategies
    known = own.names + own.models
    for name in names or ():
        if name not in known:
            hint = nearest(name, known) if known else "it has none"
            raise InputError(f"strategy '{name}' is not one of task '{env.name}'; {hint}")
    where = Field(env=env, params=params, elsewhere=profile_env, models=models or ModelsConfig())
    return dict(own.make(where, own.names if names is None else names))
