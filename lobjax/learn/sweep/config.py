"""What a sweep is, read strictly, and everything that can be known to be wrong before anything compiles."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from lobjax import packaged, plugins
from lobjax.config import build, formerly, load_yaml, override
from lobjax.errors import InputError, nearest
from lobjax.learn import memory
from lobjax.learn.config import TrainConfig, config_from
from lobjax.learn.learner import metric_names
from lobjax.learn.sweep import space as spaces
from lobjax.learn.sweep.batching import environments, signature
from lobjax.learn.sweep.space import Point, Space
from lobjax.learn.tasks import MARKET, Tasks
from lobjax.memory import Estimate, Part
from lobjax.ranges import Length, Range, Seed, check, shown
from lobjax.reading import is_file

_CURVE = 16  # bytes of an update of a run: the metric and its weight
_PART, _MANY = Range(1e-6, 1 - 1e-6), Range(1, 10**6)


@dataclass(frozen=True, kw_only=True)
class PruneConfig:
    """When a trial is stopped: at these parts of a run, where it is not among the `keep` best of those that came as far.

    With fewer than `least` others to compare with, nothing is stopped.
    """

    at: Annotated[tuple[Annotated[float, _PART], ...], Length(1, 100)] = (0.25, 0.5)
    keep: Annotated[float, _PART] = 0.5
    least: Annotated[int, _MANY] = 3

    def __post_init__(self) -> None:
        check(self)
        if not all(a < b for a, b in pairwise(self.at)):
            raise ValueError(f"at is {shown(self.at)}; it needs rising parts of a run, between 0 and 1")


@dataclass(frozen=True, kw_only=True)
class SweepConfig:
    """A search. A trial is a point of `space`, played with `seeds` seeds (the training configuration's and those after it).

    `train` is laid over the training configuration at `base`: a path from the sweep's own file, or the name of one that comes with the
    package. `batch` trials are proposed at once, from what all batches before gave, and played together; a program holds at most
    `runs_per_program`. A trial's value is the mean of `metric` over the last part `over` of its run, episodes counting alike where it is
    one of `episode/`.
    """

    space: Any
    base: Path | None = None
    train: Any = None
    plugins: Annotated[
        tuple[str, ...], Length(0, 64)
    ] = ()  # modules to import first, beside those of the training configuration
    method: Literal["grid", "random", "tpe"] = "random"
    trials: Annotated[int, _MANY] | None = None  # a grid has as many as it has points
    batch: Annotated[int, Range(1, 10_000)] = 8
    seeds: Annotated[int, Range(1, 10_000)] = 4
    seed: Seed = 0  # of the search
    metric: str = "episode/return"
    direction: Literal["maximize", "minimize"] = "maximize"
    over: Annotated[float, Range(1e-6, 1.0)] = 0.1
    startup: Annotated[int, _MANY] = 8  # trials that TPE draws at random first
    runs_per_program: Annotated[int, Range(1, 65_536)] = field(default=256, metadata=formerly("lanes"))
    prune: PruneConfig | None = None

    def __post_init__(self) -> None:
        check(self)
        if self.method == "grid" and self.trials is not None:
            raise ValueError("trials: a grid plays all of its points; remove trials, or set method to random or tpe")
        if self.method != "grid":
            if self.trials is None:
                raise ValueError(f"trials: method {self.method} needs a number of trials, 1 or more")
            if self.trials % self.batch:
                raise ValueError(
                    f"trials {self.trials} does not divide into batches of {self.batch}; make it a multiple, or change batch"
                )
        if self.seeds > self.runs_per_program:
            raise ValueError(
                f"runs_per_program {self.runs_per_program} does not hold the {self.seeds} seeds of one trial; raise it"
            )


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A sweep that was checked: `data` is the training configuration as plain mappings, before any point of the space is put into it."""

    config: SweepConfig
    data: dict[str, Any]
    space: Space
    tasks: Tasks

    def training(self, point: Point) -> TrainConfig:
        """A trial's configuration; InputError where it is none."""
        made = config_from(override(self.data, spaces.assignments(point)), self.tasks.env_config)
        if made.devices != 1:
            raise InputError(
                f"config.devices: {made.devices}, but the runs of a program share one; set train.devices=1"
            )
        if (last := made.seed + self.config.seeds - 1) >= 2**32:
            raise InputError(f"config.seeds: the last of {self.config.seeds} from {made.seed} on is {last}; lower seed")
        return made

    @property
    def n_trials(self) -> int:
        """Trials in all."""
        return self.config.trials or len(spaces.grid(self.space))

    @property
    def n_batches(self) -> int:
        """Batches in all; only a grid's last one may be smaller."""
        return -(-self.n_trials // self.config.batch)


def load_sweep(name: str | Path | Mapping[str, Any], *assignments: str, tasks: Tasks = MARKET) -> Sweep:
    """Read and check a sweep: a YAML file, one that comes with the package by its name (`lobjax.packaged`), or a mapping.

    `assignments` such as "seeds=2" replace values of it. InputError before anything is compiled or written.
    """
    if isinstance(name, Mapping):
        found, beside = dict(name), Path()
    else:
        path = packaged.configuration(name, "sweep")
        found, beside = load_yaml(path), path.parent
    described = override(found, list(assignments))
    plugins.load_named(described)
    config = build(SweepConfig, described)
    data = load_yaml(_base(beside, config.base)) if config.base else {}
    if not isinstance(config.train, dict | None):
        raise InputError(f"config.train: expected a mapping, found {type(config.train).__name__} {config.train!r}")
    if not config.base and not config.train:
        raise InputError("config.base: missing; name a training configuration, or write one under `train`")
    data = _laid_over(data, config.train or {})
    if both := (*config.plugins, *(name for name in plugins.named(data) if name not in config.plugins)):
        data = {**data, plugins.KEY: list(both)}
    sweep = Sweep(config=config, data=data, space=spaces.parse(config.space), tasks=tasks)
    _check(sweep)
    return sweep


def _base(beside: Path, base: Path) -> Path:
    """The training configuration that a sweep in the folder `beside` stands on."""
    there = beside / base
    if is_file(there) or base.suffix or len(base.parts) != 1:
        return there
    return packaged.configuration(base, "train")


def _laid_over(below: Any, above: Any) -> Any:
    """Mappings merge key by key, but one of another `kind` replaces what was there."""
    if not (isinstance(below, dict) and isinstance(above, dict)) or above.get("kind", below.get("kind")) != below.get(
        "kind"
    ):
        return above
    return below | {key: _laid_over(below.get(key), value) for key, value in above.items()}


def _check(sweep: Sweep) -> None:
    """Every point of a grid, or the corners of a range, must be a configuration, and its learner must report the metric."""
    points = spaces.grid(sweep.space) if sweep.config.method == "grid" else spaces.corners(sweep.space)
    made: dict[str, TrainConfig] = {}
    for point in points:
        config = sweep.training(point)
        made.setdefault(signature(config), config)
    environment = environments(sweep.tasks)
    asked = set()
    for config in made.values():
        env = environment(config.env)
        most = sweep.config.runs_per_program // sweep.config.seeds * sweep.config.seeds
        runs = min(most, min(sweep.config.batch, sweep.n_trials) * sweep.config.seeds)
        curves = Part(_CURVE * runs * config.n_updates, "lower train.total_steps, runs_per_program or seeds")
        needed = memory.estimate(config, env, runs).parts | {"learning curves": curves}
        Estimate(needed).check(f"a program of {runs} runs side by side")
        if type(config.algorithm) in asked:
            continue
        asked.add(type(config.algorithm))
        names = metric_names(config, env)
        if sweep.config.metric not in names:
            raise InputError(
                f"config.metric: '{sweep.config.metric}' is not reported; {nearest(sweep.config.metric, names)}"
            )
