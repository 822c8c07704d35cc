"""One device and two learn the same in an arena, up to the order of sums."""

import json
import os
import subprocess
import sys

from tests.compiling import FLAGS


def test_two_virtual_devices_learn_what_one_does():
    """Tolerance 2e-5 in every number of the state and every metric after two updates; keys, counts, markets and draws are equal."""
    environment = {
        **os.environ,
        "XLA_FLAGS": f"--xla_force_host_platform_device_count=2 {FLAGS}",
        "JAX_PLATFORMS": "cpu",
    }
    command = [sys.executable, "-W", "error", "-m", "tests.learn.arena.compare_devices"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=400)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["names"] and found["differ"] == []
    assert max(found["floats"].values()) < 2e-5, found["floats"]
    assert max(found["scalars"].values()) < 2e-5, found["scalars"]
