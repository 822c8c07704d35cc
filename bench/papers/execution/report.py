"""`python -m bench execution-cell`: one market, one parent order, one strategy; ends with one JSON line."""

from typing import Any

from bench import recording
from bench.papers.execution.playing import ProgramCache, Result, strategy
from lobjax.env import Environment
from lobjax.errors import InputError
from lobjax.learn.progress import phase
from lobjax.results import interval
from lobjax.tasks import EnvConfig

MEASURED = (
    "mean, over episodes, of what a lot fetched beyond the best bid at the start of its episode, in ticks; no fees; std over episodes; "
    "se = std / sqrt(n)"
)


def check_episodes(episodes: int, seed: int) -> None:
    """InputError for too few episodes to have a standard error, or a seed that is none."""
    if not 2 <= episodes < 2**31:
        raise InputError(f"--episodes {episodes}: out of range; give at least 2, for a standard error")
    if not 0 <= seed < 2**32:
        raise InputError(f"--seed {seed}: out of range; choose 0 to 2^32 - 1")


def played(
    cache: ProgramCache, env: Environment, name: str, episodes: int, seed: int, what: str, profile: Any = None
) -> Result:
    """A strategy by its name, with progress on standard error."""
    with phase(what, episodes, unit="episodes") as advance:
        before = 0

        def on_batch(done: int) -> None:
            nonlocal before
            advance(done - before)
            before = done

        return cache.play(env, strategy(name, env, profile), episodes, seed, on_batch=on_batch)


def refuse_wrong(result: Result, config: EnvConfig) -> None:
    """InputError where books or queues were too small, so that the figures are of another market."""
    for name, count in result.wrong.items():
        if name in ("displaced", "flow_displaced", "flow_refused"):
            advice = f"sides hold {config.market.capacity} orders; give a larger --capacity (up to 512), fewer lots or a shorter horizon"
        else:
            advice = "shorten --step, or give fewer --lots"
        raise InputError(f"{name} is {count:g} and must be 0 for these figures to be of this market: {advice}")


def figures(result: Result) -> dict[str, Any]:
    """What is reported of played episodes; `wrong` counts are 0 and shown."""
    mean = interval(result.returns)
    return {
        "mean": mean.mean,
        "std": mean.std,
        "se": result.se,
        "low": mean.low,
        "high": mean.high,
        "n": result.n,
        "episodes_per_s": recording.rounded(result.n / result.seconds),
        "events_per_s": recording.rounded(result.messages / result.seconds),
        "events_per_episode": recording.rounded(result.messages / result.n),
        "seconds": round(result.seconds, 4),
        "compile_s": round(result.compile_s, 3),
        "compiled_numba": result.compiled_numba,
        "batch": result.batch,
        **result.counts,
    }


def sizes(env: Environment, config: EnvConfig) -> dict[str, Any]:
    """The sizes of a cell."""
    task, market = config.task, config.market
    return {
        "horizon_s": round(task.decisions * task.step_s, 9),
        "step_s": task.step_s,
        "warm_up_s": config.flow.warm_up_s,  # pyright: ignore[reportAttributeAccessIssue]
        "decisions": task.decisions,
        "engine": env.engine.engine,
        "capacity": market.capacity,
        "max_messages": market.max_messages,
    }
