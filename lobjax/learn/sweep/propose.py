"""What a sweep tries next and what it gives up, by optuna. Nothing is kept between batches: each is proposed from the trials before it
and a seed of its own, so a sweep that goes on after a kill proposes the same.
"""

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from lobjax.learn.sweep.config import Sweep, SweepConfig
from lobjax.learn.sweep.space import Dimension, Point, Range, Space, grid, label

optuna.logging.set_verbosity(optuna.logging.WARNING)


class Past(NamedTuple):
    """A trial that ended: means over its seeds."""

    trial: int
    point: Point
    status: str  # complete, pruned or failed
    value: float | None
    rungs: tuple[float | None, ...]  # of those that it reached


def batch(sweep: Sweep, number: int, past: Sequence[Past]) -> list[Point]:
    """The points of a batch; `past`: all trials of the batches before."""
    first = number * sweep.config.batch
    if sweep.config.method == "grid":
        return grid(sweep.space)[first : first + sweep.config.batch]
    study = study_of(sweep.config, sweep.space, past, _sampler(sweep.config, number))
    wanted = {key: distribution(dimension) for key, dimension in sweep.space.items()}
    asked = [study.ask(fixed_distributions=wanted) for _ in range(sweep.config.batch)]
    return [{key: _value(sweep.space[key], trial.params[key]) for key in sweep.space} for trial in asked]


def stops(config: SweepConfig, rung: int, past: Sequence[Past], playing: Mapping[int, float]) -> set[int]:
    """Which of the trials that play to stop at a rung: those not among the best of all others that came as far, there.

    optuna's percentile rule (with `keep` 0.5 the median rule of Golovin et al., 2017), asked of each trial with all others ended.
    A trial without a value yet plays on.
    """
    if config.prune is None:
        return set()
    pruner = optuna.pruners.PercentilePruner(
        100 * config.prune.keep, config.prune.least, n_min_trials=config.prune.least
    )
    reached = {each.trial: each.rungs[rung] for each in past if len(each.rungs) > rung and each.rungs[rung] is not None}
    values = {
        trial: value for trial, value in {**reached, **playing}.items() if value is not None and math.isfinite(value)
    }
    stopped = set()
    for trial in playing.keys() & values.keys():
        study = optuna.create_study(direction=config.direction)
        for other in values.keys() - {trial}:
            study.add_trial(create_trial(value=values[other], intermediate_values={rung: values[other]}))
        asked = create_trial(state=TrialState.RUNNING, intermediate_values={rung: values[trial]})
        if pruner.prune(study, asked):
            stopped.add(trial)
    return stopped


def study_of(
    config: SweepConfig, space: Space, past: Sequence[Past], sampler: optuna.samplers.BaseSampler | None = None
) -> optuna.Study:
    """An optuna study that holds these trials; a failed one counts as pruned before it had any value, so that its like is avoided."""
    study = optuna.create_study(direction=config.direction, sampler=sampler)
    study.add_trials([_frozen(space, each) for each in past])
    return study


def distribution(dimension: Dimension) -> BaseDistribution:
    """A dimension as optuna knows it; values are told apart by their text."""
    if not isinstance(dimension, Range):
        return CategoricalDistribution([label(value) for value in dimension.values])
    if dimension.whole:
        return IntDistribution(int(dimension.low), int(dimension.high), log=dimension.log)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log)


def _value(dimension: Dimension, suggested: Any) -> Any:
    if isinstance(dimension, Range):
        return suggested
    return dimension.values[[label(value) for value in dimension.values].index(suggested)]


def _frozen(space: Space, past: Past) -> FrozenTrial:
    written = {k: past.point[k] if isinstance(d, Range) else label(past.point[k]) for k, d in space.items()}
    rungs = {i: value for i, value in enumerate(past.rungs) if value is not None}
    complete = past.status == "complete" and past.value is not None
    return create_trial(
        state=TrialState.COMPLETE if complete else TrialState.PRUNED,
        value=past.value if complete else None,
        params=written,
        distributions={key: distribution(dimension) for key, dimension in space.items()},
        intermediate_values=rungs if past.status != "failed" else {},
    )


def _sampler(config: SweepConfig, number: int) -> optuna.samplers.BaseSampler:
    seed = int(np.random.SeedSequence([config.seed, number]).generate_state(1)[0])
    if config.method == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    with warnings.catch_warnings():
        # Experimental in optuna 4. It keeps the trials of a batch apart: those that were asked for count as bad.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.TPESampler(n_startup_trials=config.startup, constant_liar=True, seed=seed)
