"""`python -m bench forecast`: baselines of the mid's trend on a recorded day, by horizon; ends with one JSON line."""

import json
from pathlib import Path
from typing import Annotated

from bench import recording
from lobjax.errors import InputError, nearest
from lobjax.ranges import Range, ranged

MODELS = ("baselines", "all")


@ranged
def forecast(
    *,
    data: Path,
    horizons: str = "1,3,10",
    models: str = "baselines",
    tick_size: Annotated[int, Range(1, 10**9)] = 100,
    every: Annotated[int, Range(1, 100_000)] = 10,
    seed: Annotated[int, Range(0, 2**32 - 1)] = 0,
) -> None:
    """Fit baselines on the first 60% of a day, calibrate them on the next 20%, score them on the last; a purge of k samples between.

    Labels: deeplob, alpha the 1/3 quantile of |l| on the training part. Prints a table, then one JSON line: for each horizon and model
    macro F1, accuracy, MCC, NLL, Brier, ECE after temperature scaling (`uncalibrated`: before it), coverage and mean size of 90% split
    conformal sets, and of adaptive ones (coverage by half).

    Args:
        data: A LOBSTER zip, message file or folder; a Databento MBO file; or a folder made by `lobjax data build`.
        horizons: In samples, separated by commas.
        models: baselines (majority, last trend, logistic on OFI, full linear), or all: gradient-boosted trees on the 78 features too
            (extra `forecast`).
        tick_size: File price units in one tick.
        every: Rows of a sample.
        seed: Of the trees.
    """
    ahead = recording.numbers("--horizons", horizons, 1, 10_000)
    if models not in MODELS:
        raise InputError(f"--models {models}: unknown; {nearest(models, MODELS)}")
    from bench.papers import forecast as work

    found = work.measure(data, ahead, models == "all", tick_size, every, seed)
    for line in work.lines(found):
        print(line)
    print(json.dumps(found, allow_nan=False))
