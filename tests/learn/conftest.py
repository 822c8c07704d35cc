"""A finished run that several tests read."""

from pathlib import Path

import pytest

from tests.learn.probes import TASKS
from train.__main__ import main

QUICK = """
env: {probe: simplex}
net: {kind: transformer, layers: 1, width: 8, heads: 2, window: 4}
algorithm: {learning_rate: 3e-3, epochs: 1, minibatches: 2}
n_envs: 8
rollout_length: 6
total_steps: 2880
checkpoint_every: 4
compile: quick
"""


def command(*arguments) -> None:
    """`python -m train` over the probes, in this process."""
    main([str(a) for a in arguments], tasks=TASKS)


@pytest.fixture(scope="session")
def quick_config(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("config") / "quick.yaml"
    path.write_text(QUICK)
    return path


@pytest.fixture(scope="session")
def finished_run(quick_config, tmp_path_factory) -> Path:
    """The folder of a run of 60 updates that was never stopped; not to be changed."""
    folder = tmp_path_factory.mktemp("runs") / "finished"
    command("run", quick_config, "--out", folder, "--seed", 7)
    return folder
