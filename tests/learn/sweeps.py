"""A sweep over a probe, for tests: as a file, as what was read from it, and played without compiling anything."""

from pathlib import Path

import numpy as np
import yaml

from lobjax.learn.sweep.config import load_sweep
from lobjax.learn.sweep.play import JobResult
from tests.learn.probes import TASKS

BASE = {
    "train": {
        "env": {"probe": "contextual"},
        "net": {"kind": "mlp", "hidden": [8]},
        "algorithm": {"learning_rate": 1e-3, "epochs": 1, "minibatches": 2},
        "n_envs": 8,
        "rollout_length": 4,
        "total_steps": 640,
    },
    "space": {
        "algorithm.learning_rate": {"log_uniform": ["1e-4", 0.1]},
        "algorithm.entropy_coefficient": {"uniform": [0, 0.1]},
        "net.hidden": [[8], [16]],
    },
    "method": "tpe",
    "trials": 24,
    "batch": 8,
    "seeds": 2,
    "over": 0.25,
}


def written(folder: Path, **changes) -> Path:
    """BASE with changes, as a YAML file in a folder; None takes a key away."""
    data = {key: value for key, value in {**BASE, **changes}.items() if value is not None}
    path = folder / "sweep.yaml"
    path.write_text(yaml.safe_dump(data))
    return path


def loaded(folder: Path, **changes):
    """The checked sweep of BASE with changes."""
    return load_sweep(written(folder, **changes), tasks=TASKS)


def formula(config, seed: int) -> float:
    """What a trial is worth where nothing is trained: best at a learning rate of 1e-2 and with two units more."""
    miss = abs(np.log10(config.algorithm.learning_rate) + 2)
    return float(-miss - 3 * config.algorithm.entropy_coefficient + 0.1 * (config.net.hidden == (16,)) + 0.01 * seed)


def by_formula(sweep, on_job=lambda job: None):
    """Jobs 'played' by the formula; `on_job` is called before each."""

    def play(jobs, past, done):
        for job in jobs:
            on_job(job)
            rows = [
                {
                    "trial": trial, "seed": seed, "status": "complete", "reason": None, "value": formula(config, seed), "updates": 20,
                    "steps": 640, "rungs": [], "curve": [formula(config, seed)] * 20,
                }
                for trial, config in zip(job.trials, job.configs, strict=True)
                for seed in range(sweep.config.seeds)
            ]  # fmt: skip
            done(job, JobResult(rows, {"job": job.name}))

    return play
