"""Run as a module under several virtual devices: prints how far two updates in an arena on 2 devices are from those on 1, as JSON."""

import json
import sys
from dataclasses import replace

import numpy as np

from lobjax.learn.progress import quietly
from tests.learn.arena.small import config, program_of


def after(n_devices: int):
    made = replace(config(algorithm={"epochs": 1, "minibatches": 2, "learning_rate": 3e-3}), devices=n_devices)
    _, program = program_of(made)
    reports = [program.update() for _ in range(2)]
    return program.arrays(), {name: float(x) for name, x in reports[-1].scalars.items()}


def main():
    with quietly():
        (one, told), (two, also) = (after(n) for n in (1, 2))
    floats = {k: float(np.abs(one[k] - two[k]).max()) for k in one if one[k].dtype == np.float32}
    exact = [k for k in one if one[k].dtype != np.float32 and (one[k] != two[k]).any()]
    scalars = {k: abs(told[k] - also[k]) / max(1.0, abs(told[k])) for k in told}
    json.dump({"floats": floats, "differ": exact, "scalars": scalars, "names": one.keys() == two.keys()}, sys.stdout)


if __name__ == "__main__":
    main()
