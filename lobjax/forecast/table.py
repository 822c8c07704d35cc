"""Models on one day: split in time with a purge, fitted on the training part, calibrated on the next, scored on the last."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lobjax.errors import InputError
from lobjax.forecast import baselines, calibration, labels, scores
from lobjax.forecast.features.samples import Samples
from lobjax.forecast.scaling import fit_fold

if TYPE_CHECKING:
    from lobjax.forecast.training import Ensemble, EnsembleConfig, Report

TRAIN, TEST = 0.6, 0.8  # shares of the samples: training ends, test begins
MISS = 0.1  # of prediction sets
LEAST = 30  # samples of a part
MODELS = ("majority", "last_trend", "ofi_logistic", "full_linear")


class Split(NamedTuple):
    """Parts of a day for a horizon: training, validation and test, with a purge of k samples between, and their classes."""

    train: slice
    validation: slice
    test: slice
    alpha: float
    classes: np.ndarray  # int8 [S]


def split(mid: np.ndarray, k: int, name: str = "day") -> Split:
    """60/20/20 in time, alpha the 1/3 quantile of |l| on the training part, deeplob labels. InputError for a day that is too short.

    Training begins after the `HISTORY` samples that inputs look back; labels of a part reach into no other.
    """
    n = len(mid)
    first, second = int(TRAIN * n), int(TEST * n)
    parts = slice(max(baselines.HISTORY, k - 1), first - k), slice(first, second - k), slice(second, n - k)
    if min(part.stop - part.start for part in parts) < LEAST:
        raise InputError(
            f"{name}: {n:,} samples are too few for a horizon of {k}; give a longer day or a shorter horizon"
        )
    change = labels.deeplob(mid, k)
    if any(np.isnan(change[part]).any() for part in parts):
        raise InputError(f"{name}: a mid is missing, since a side of its book is empty; give a day with both sides")
    alpha = labels.alpha_of_quantile(change[parts[0]])
    found = labels.classes(change, alpha)
    if len(np.unique(found[parts[0]])) < 2:
        raise InputError(f"{name}: one class only at a horizon of {k}; give a day on which the mid moves")
    return Split(*parts, alpha, found)


def scored(
    samples: Samples,
    k: int,
    names: Sequence[str],
    inputs: dict[str, np.ndarray],
    seed: int = 0,
    day: str = "day",
    networks: "Mapping[str, EnsembleConfig] | None" = None,
    tell: "Callable[[str, int, Report], None]" = lambda name, epoch, report: None,
) -> dict[str, Any]:
    """For each model the scores of the test part, calibrated by the validation part, with coverage and size of 90% sets.

    `coverage` is that of split sets on all of it, `adaptive_coverage` that of adaptive ones on its first and on its second half;
    `day` names it in errors. `networks`: ensembles by name, which read windows of `inputs["all"]`; `tell` hears of their epochs.
    """
    parts = split(samples.mid, k, day)
    y = parts.classes.astype(np.int64)
    found: dict[str, Any] = {}
    for model_name in names:
        if model_name == "last_trend":
            calls = baselines.last_trend(parts.classes, k)[parts.test]
            table = scores.confusion(y[parts.test], calls, 3)
            found[model_name] = {
                "macro_f1": scores.macro_f1(table),
                "accuracy": scores.accuracy(table),
                "mcc": scores.mcc(table),
                **dict.fromkeys(("nll", "brier", "ece", "coverage")),  # it gives no probabilities
            }
            continue
        x = inputs[
            "ofi" if model_name in ("majority", "ofi_logistic") else "full" if model_name == "full_linear" else "all"
        ]
        model = _fitted(model_name, x[parts.train], y[parts.train], seed)
        found[model_name] = calibrated(model(x[parts.validation]), model(x[parts.test]), y, parts, k)
    for model_name, config in (networks or {}).items():
        from lobjax.forecast import training  # JAX, which baselines need not wait for

        ensemble = prepared(config, inputs["all"], y, parts, day)
        seconds: list[float] = []

        def heard(epoch: int, report: "Report", name: str = model_name, seconds: list[float] = seconds) -> None:
            seconds.append(report.seconds)
            tell(name, epoch, report)

        params = training.fit(ensemble, heard)
        found[model_name] = of_ensemble(ensemble, params, y, parts, k) | {
            "epochs": len(seconds),
            "epoch_s": float(np.median(seconds)),
        }
    return {
        "alpha": parts.alpha,
        "n_train": parts.train.stop - parts.train.start,
        "n_test": parts.test.stop - parts.test.start,
        "models": found,
    }


def _fitted(name: str, x: np.ndarray, y: np.ndarray, seed: int) -> baselines.Model:
    if name == "majority":
        return baselines.fit_majority(y)
    if name == "boosted_trees":
        return baselines.fit_boosted_trees(x, y, seed)
    return baselines.fit_logistic(x, y)


def prepared(config: "EnsembleConfig", x: np.ndarray, y: np.ndarray, parts: Split, day: str = "day") -> "Ensemble":
    """An ensemble on features x [S, F] scaled by the training part, which begins where the first whole window ends.

    InputError as `Ensemble`.
    """
    from lobjax.forecast.training import Ensemble

    train = slice(max(parts.train.start, config.window - 1), parts.train.stop)
    return Ensemble(config, fit_fold(x[parts.train])(x), np.maximum(y, 0), train, parts.validation, day)


def of_ensemble(ensemble: "Ensemble", params: Any, y: np.ndarray, parts: Split, k: int) -> dict[str, Any]:
    """`calibrated` of the members' mean, with the mean entropies of the test part (nats) and the windows that were learnt from."""
    before, members = (ensemble.probabilities(params, part) for part in (parts.validation, parts.test))
    entropies = zip(("total", "aleatoric", "epistemic"), scores.uncertainty(members), strict=True)
    return {
        **calibrated(before.mean(0), members.mean(0), y, parts, k),
        "windows": ensemble.windows,
        **{name: float(value.mean()) for name, value in entropies},
    }


def calibrated(before: np.ndarray, raw: np.ndarray, y: np.ndarray, parts: Split, k: int) -> dict[str, Any]:
    """Scores of probabilities `raw` [N, 3] of the test part, calibrated by those of the validation part, `before`."""
    known, true = y[parts.validation], y[parts.test]
    temperature = calibration.fit_temperature(before, known) if len(np.unique(before, axis=0)) > 1 else 1.0
    before, after = calibration.softened(before, temperature), calibration.softened(raw, temperature)
    known_scores = calibration.set_scores(before, known)
    quantile = calibration.conformal_quantile(known_scores, MISS)
    sets = calibration.prediction_sets(after, quantile)
    adaptive = calibration.adaptive_sets(known_scores, after, true, MISS, delay=k)
    halves = slice(0, len(true) // 2), slice(len(true) // 2, None)
    return {
        **_finite(scores.scores(after, true)),
        "temperature": temperature,
        "quantile": quantile if np.isfinite(quantile) else None,
        "uncalibrated": _finite({name: scores.scores(raw, true)[name] for name in ("nll", "brier", "ece")}),
        "coverage": calibration.coverage(sets, true),
        "set_size": float(sets.sum(1).mean()),
        "adaptive_coverage": [calibration.coverage(adaptive[half], true[half]) for half in halves],
        "adaptive_set_size": float(adaptive.sum(1).mean()),
    }


def _finite(found: dict[str, float]) -> dict[str, float | None]:
    return {name: value if np.isfinite(value) else None for name, value in found.items()}
