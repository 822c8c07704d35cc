"""One device and four give the same update for the same batch, up to the order of sums."""

import json
import os
import subprocess
import sys

import pytest

from lobjax.errors import InputError
from lobjax.learn.devices import check_devices
from tests.compiling import FLAGS


def test_four_virtual_devices_learn_what_one_does():
    """Tolerance 2e-5 in every number of the state and every metric after three updates of 8 gradient steps (PPO) or 1 (actor-critic).

    Observations are normalised in both, rewards in the first.
    """
    environment = {
        **os.environ,
        "XLA_FLAGS": f"--xla_force_host_platform_device_count=4 {FLAGS}",
        "JAX_PLATFORMS": "cpu",
    }
    command = [sys.executable, "-W", "error", "-m", "tests.learn.compare_devices"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=240)
    assert result.returncode == 0, result.stderr
    compared = json.loads(result.stdout)
    assert all(abs(scale - 1) > 0.01 for scale in compared["ppo"]["scales"]) and len(compared["ppo"]["scales"]) == 2
    for algorithm, found in compared.items():
        assert found["names"] and found["exact"], f"{algorithm}: keys, counts, flags and episodes are equal"
        assert found["moved"] > 0
        assert max(found["floats"].values()) < 2e-5, (algorithm, found["floats"])
        assert max(found["scalars"].values()) < 2e-5, (algorithm, found["scalars"])


def test_devices_that_are_not_there_are_refused():
    with pytest.raises(InputError, match="64 wanted, 1 cpu found"):
        check_devices(64)
