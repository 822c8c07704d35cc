"""A trained forecaster as one file: the scaler, the members' parameters, and what was fitted on the validation stretch."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.config import build, to_dict
from lobjax.errors import InputError
from lobjax.files import whole_file
from lobjax.forecast import calibration
from lobjax.forecast.nets import make_forecast_net
from lobjax.forecast.scaling import Fold
from lobjax.forecast.training import Ensemble, EnsembleConfig
from lobjax.reading import parsing
from lobjax.reading.arrays import read_npz
from lobjax.schema import as_shape
from lobjax.settings import key_of

_ADVICE = "train it again"


class Calibration(NamedTuple):
    """`alpha` of the labels at horizon `k`, of the training fold; `temperature` and `quantile` of sets, of the validation stretch."""

    k: int
    alpha: float
    temperature: float
    quantile: float


class Forecaster(NamedTuple):
    """An ensemble ready to forecast from features as they come, [T, F]."""

    config: EnsembleConfig
    scaler: Fold
    params: Any  # leaves [M, ...]
    calibration: Calibration

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Calibrated probabilities of each whole window of features x [T, F]: [T - window + 1, 3]. ValueError for less than a window."""
        first = self.config.window - 1
        if len(x) <= first:
            raise ValueError(f"{len(x)} samples are less than a window of {self.config.window}")
        part = slice(first, len(x))
        z = self.scaler(x)
        ensemble = Ensemble(self.config, z, np.zeros(len(z), np.int32), part, part)
        p = ensemble.probabilities(self.params, part).mean(0)
        return calibration.softened(p, self.calibration.temperature)


def save_forecaster(path: Path, forecaster: Forecaster) -> None:
    """Write it, whole or not at all."""
    about = {"format": 1, "config": to_dict(forecaster.config), "calibration": forecaster.calibration._asdict()}
    arrays: dict[str, Any] = {"about": np.array(json.dumps(about)), **forecaster.scaler._asdict()}
    for at, leaf in jax.tree_util.tree_leaves_with_path(forecaster.params):
        arrays[_name(at)] = np.asarray(leaf)
    with whole_file(path) as temporary:
        np.savez(temporary, **arrays)


def load_forecaster(path: Path) -> Forecaster:
    """The forecaster in a file; InputError where it is none, or is damaged."""
    found = read_npz(path, advice=_ADVICE)
    if missing := [name for name in ("about", "mean", "std") if name not in found]:
        raise InputError(f"{path}: no forecaster, it has no '{missing[0]}'; {_ADVICE}")
    with parsing(path, "a forecaster", _ADVICE):
        about = as_shape(dict[str, Any], json.loads(str(found["about"])), path, _ADVICE)
        if about.get("format") != 1:
            raise ValueError(f"its format is {about.get('format')!r:.20}, not 1")
        config = build(EnsembleConfig, about["config"])
        fitted = as_shape(dict[str, float], about["calibration"], path, _ADVICE)
        calibrated = Calibration(int(fitted["k"]), *(float(fitted[name]) for name in Calibration._fields[1:]))
    mean, std = found["mean"], found["std"]
    if mean.ndim != 1 or mean.shape != std.shape or mean.dtype != np.float64 or std.dtype != np.float64:
        raise InputError(f"{path}: 'mean' and 'std' are not of one number a feature; {_ADVICE}")
    try:
        net = make_forecast_net(config.net, config.window, len(mean))
    except ValueError as error:
        raise InputError(f"{path}: {error}; {_ADVICE}") from None
    shapes = jax.eval_shape(net.init, key_of(0))
    leaves = []
    for at, like in jax.tree_util.tree_leaves_with_path(shapes):
        name = _name(at)
        array = found.get(name)
        if array is None or array.shape != (config.members, *like.shape) or array.dtype != like.dtype:
            raise InputError(f"{path}: '{name}' is missing or does not fit its configuration; {_ADVICE}")
        leaves.append(jnp.asarray(array))
    return Forecaster(config, Fold(mean, std), jax.tree.unflatten(jax.tree.structure(shapes), leaves), calibrated)


def _name(at: Any) -> str:
    """Of the array of a parameter, by its path."""
    return f"params.{jax.tree_util.keystr(at, simple=True, separator='.')}"
