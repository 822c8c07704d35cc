"""`python -m bench forecast`: baselines and networks of the mid's trend on a recorded day, by horizon; ends with one JSON line."""

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
    epochs: Annotated[int, Range(1, 10_000)] = 30,
    members: Annotated[int, Range(1, 64)] = 5,
) -> None:
    """Fit baselines, and networks if so wished, on the first 60% of a day, calibrate them on the next 20%, score them on the last.

    Between the parts lies a purge of k samples.
    Labels: deeplob, alpha the 1/3 quantile of |l| on the training part. Prints a table, then one JSON line: for each horizon and model
    macro F1, accuracy, MCC, NLL, Brier, ECE after temperature scaling (`uncalibrated`: before it), coverage and mean size of 90% split
    conformal sets, and of adaptive ones (coverage by half).

    Args:
        data: A LOBSTER zip, message file or folder; a Databento MBO file; or a folder made by `lobjax data build`.
        horizons: In samples, separated by commas.
        models: baselines (majority, last trend, logistic on OFI, full linear), or all: gradient-boosted trees on the 78 features too
            (extra `forecast`), and an ensemble of each forecast network (hours on a CPU); or names, separated by commas.
        tick_size: File price units in one tick.
        every: Rows of a sample.
        seed: Of the trees and the networks.
        epochs: Of a network at most; it stops earlier where NLL on the validation part no longer falls.
        members: Networks in an ensemble.
    """
    ahead = recording.numbers("--horizons", horizons, 1, 10_000)
    asked = [name.strip() for name in models.split(",")]
    from bench.papers import forecast as work

    known = (*MODELS, *work.known())
    if unknown := [name for name in asked if name not in known]:
        raise InputError(f"--models {unknown[0]}: unknown; {nearest(unknown[0], known)}")

    found = work.measure(data, ahead, work.chosen(asked), tick_size, every, seed, epochs=epochs, members=members)
    for line in work.lines(found):
        print(line)
    print(json.dumps(found, allow_nan=False))
