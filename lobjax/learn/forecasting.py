"""A run that trains a forecaster on a recorded day: one folder, resumed to the bit.

run.json, metrics.jsonl and tensorboard/ (a line an epoch), checkpoints/ (an epoch each, the newest two), forecaster.npz
(`lobjax.forecast.forecaster`), scores.json (its scores on the test part, as `bench forecast` has them).
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from lobjax import locks
from lobjax.config import build, to_dict
from lobjax.errors import InputError
from lobjax.files import whole_file
from lobjax.forecast import table
from lobjax.forecast.features import day_features
from lobjax.forecast.forecaster import Calibration, Forecaster, save_forecaster
from lobjax.forecast.scaling import fit_fold
from lobjax.forecast.training import Ensemble, EnsembleConfig, EnsembleState, Report
from lobjax.learn import checkpoint, keeping
from lobjax.learn.loop import NotFinite
from lobjax.learn.progress import phase
from lobjax.learn.runfolder import RUN, RunFolder, check_surroundings
from lobjax.learn.sinks import Sinks
from lobjax.ranges import Range, check
from lobjax.results.stamp import command, stamp

TASK = "forecast"
FORECASTER, SCORES = "forecaster.npz", "scores.json"
KEPT = 2  # checkpoints


@dataclass(frozen=True, kw_only=True)
class ForecastConfig:
    """A recorded day, how many samples ahead (`horizon`), and the ensemble; parts and labels as `lobjax.forecast.table.split`."""

    data: Path
    horizon: Annotated[int, Range(1, 10_000)] = 10
    tick_size: Annotated[int, Range(1, 10**9)] = 100
    every: Annotated[int, Range(1, 100_000)] = 10
    ensemble: EnsembleConfig = field(default_factory=EnsembleConfig)

    def __post_init__(self) -> None:
        check(self)


def forecast_config(data: dict[str, Any]) -> ForecastConfig:
    """Built strictly from a mapping; InputError says what is wrong, and where."""
    return build(ForecastConfig, data)


def start(config: ForecastConfig, out: Path) -> dict[str, Any]:
    """Train from the beginning into a new folder; its scores. InputError before anything is written."""
    with locks.held(out):
        if not locks.is_free(out):
            raise InputError(f"{out}: not an empty folder; choose another --out, or go on there with --resume")
        work = _Work(config)
        about = {
            "format": 1,
            "task": TASK,
            "seed": config.ensemble.seed,
            "config": to_dict(config),
            **stamp(),
            "command": command("python -m train"),
            "features": work.digest,
        }
        with whole_file(out / RUN) as temporary:
            temporary.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        return work.finish(RunFolder(out), work.ensemble.begin())


def resume(config: ForecastConfig, out: Path) -> dict[str, Any]:
    """Go on from the last complete checkpoint; it ends as if it never had been stopped. InputError for another run's folder."""
    folder = RunFolder(out)
    about = folder.about()
    if about["task"] != TASK or about["config"] != json.loads(json.dumps(to_dict(config))):
        raise InputError(f"{out}: a run of another configuration; resume with the one that {RUN} there names")
    folder.check_places()
    with locks.held(out):
        check_surroundings(about, out / RUN)
        work = _Work(config)
        if about.get("features") != work.digest:
            raise InputError(f"{config.data}: not the day that this run began with; restore it, or start again")
        state = work.ensemble.begin()
        if found := checkpoint.complete(folder.checkpoints):
            checkpoint.check_run(found[-1], about["config"])
            state = checkpoint.restore(found[-1], state, TASK)
        folder.cut_back(int(state.shared.update))
        checkpoint.cut_back(folder.checkpoints, int(state.shared.update))
        return work.finish(folder, state)


class _Work:
    """A day's parts and the ensemble on them."""

    def __init__(self, config: ForecastConfig) -> None:
        self.config = config
        samples, self.features, _ = day_features(config.data, tick_size=config.tick_size, every=config.every)
        self.digest = hashlib.sha256(self.features.tobytes() + samples.mid.tobytes()).hexdigest()
        self.parts = table.split(samples.mid, config.horizon, str(config.data))
        self.classes = self.parts.classes.astype(np.int64)
        self.ensemble: Ensemble = table.prepared(
            config.ensemble, self.features, self.classes, self.parts, str(config.data)
        )

    def finish(self, folder: RunFolder, state: EnsembleState) -> dict[str, Any]:
        """Train to the end, save the forecaster, score it."""
        ensemble, first = self.ensemble, int(state.shared.update)
        learnt = ensemble.windows * self.config.ensemble.members
        with (
            Sinks(folder, first * learnt) as sinks,
            phase("train", self.config.ensemble.epochs * learnt, "windows", first * learnt) as advance,
        ):
            while not ensemble.done(state):
                try:
                    state, report = ensemble.epoch(state)
                except FloatingPointError as error:
                    raise NotFinite(str(error)) from None
                epoch = int(state.shared.update)
                sinks.write(_line(epoch, epoch * learnt, report))
                checkpoint.save(folder.checkpoints, state, task=TASK, config=to_dict(self.config))
                keeping.settle(folder.checkpoints, {}, None, KEPT)
                advance(learnt, f"epoch {epoch}, NLL {report.validation.mean():.4f}")
        return self._save(folder, state.members.best)

    def _save(self, folder: RunFolder, params: Any) -> dict[str, Any]:
        k = self.config.horizon
        found = table.of_ensemble(self.ensemble, params, self.classes, self.parts, k)
        quantile = (
            1.0 if found["quantile"] is None else found["quantile"]
        )  # no score is above 1: every class is in every set
        fitted = Calibration(k, self.parts.alpha, found["temperature"], quantile)
        scaler = fit_fold(self.features[self.parts.train])
        save_forecaster(folder.path / FORECASTER, Forecaster(self.config.ensemble, scaler, params, fitted))
        found = {"horizon": k, "alpha": self.parts.alpha, **found}
        with whole_file(folder.path / SCORES) as temporary:
            temporary.write_text(json.dumps(found, allow_nan=False) + "\n", encoding="utf-8")
        return found


def _line(epoch: int, step: int, report: Report) -> dict[str, Any]:
    return {
        "update": epoch,
        "step": step,
        "train/nll": float(report.train.mean()),
        "validation/nll": float(report.validation.mean()),
        "members/train_nll": report.train.astype(float).round(6).tolist(),
        "members/validation_nll": report.validation.astype(float).round(6).tolist(),
        "time/update_s": report.seconds,
    }
