"""Two processes on loopback train what one does; and how they are told to meet."""

import os
import socket
import subprocess
import sys

import numpy as np
import pytest

from lobjax.errors import InputError
from lobjax.learn import checkpoint, processes
from lobjax.learn.runfolder import RunFolder
from tests.compiling import FLAGS
from tests.learn.conftest import command

TOLERANCE = 2e-5  # that one device and four have
SETTINGS = ["total_steps=384", "checkpoint_every=3", "normalise_rewards=true", "keep_best={}"]  # 8 updates


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def together(*arguments):
    """Run one command as two processes, told by flags and by variables; their standard error."""
    port = free_port()
    told = ["--coordinator", f"127.0.0.1:{port}", "--processes", "2", "--process", "0"]
    variables = {"LOBJAX_COORDINATOR": f"127.0.0.1:{port}", "LOBJAX_PROCESSES": "2", "LOBJAX_PROCESS": "1"}
    plain = {**os.environ, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": FLAGS}
    run = [sys.executable, "-W", "error", "-m", "tests.learn.several", *map(str, arguments)]
    started = [
        subprocess.Popen([*run, *flags], env=plain | more, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for flags, more in ((told, {}), ([], variables))
    ]
    said = [process.communicate(timeout=240)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0], "\n".join(said)


def last(folder):
    return checkpoint.complete(RunFolder(folder).checkpoints)[-1]


def test_two_processes_train_what_one_does_and_one_goes_on_from_theirs(quick_config, tmp_path):
    """Tolerance 2e-5 in every number of the state after 8 updates; counts, keys and flags are equal. Only the first process writes."""
    one, two = tmp_path / "one", tmp_path / "two"
    command("run", quick_config, "--out", one, "--seed", 7, "--set", *SETTINGS)
    together("run", quick_config, "--out", two, "--seed", 7, "--devices", 2, "--set", *SETTINGS)
    wanted, found = checkpoint.arrays_of(last(one)), checkpoint.arrays_of(last(two))
    assert wanted.keys() == found.keys() and last(two).update == 8
    for name, array in wanted.items():
        if array.dtype == np.float32:
            np.testing.assert_allclose(found[name], array, rtol=0, atol=TOLERANCE, err_msg=name)
        else:
            np.testing.assert_array_equal(found[name], array, err_msg=name)
    assert [line["update"] for line in RunFolder(two).lines()] == list(range(1, 9))
    assert (two / "policy.npz").exists()
    for line, other in zip(RunFolder(one).lines(), RunFolder(two).lines(), strict=True):
        assert line["episode/return"] == pytest.approx(other["episode/return"], abs=TOLERANCE)
    # A checkpoint does not know how many wrote it.
    command("resume", two, "--checkpoint", two / "checkpoints" / "00000006", "--devices", 1)
    resumed = checkpoint.arrays_of(last(two))
    for name in (name for name, array in wanted.items() if array.dtype == np.float32):
        np.testing.assert_allclose(resumed[name], wanted[name], rtol=0, atol=TOLERANCE, err_msg=name)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((None, 2, 0), "need --coordinator HOST:PORT"),
        (("localhost", 2, 0), "localhost: not HOST:PORT"),
        (("localhost:99999", 2, 0), "not HOST:PORT"),
        (("localhost:1234", 2, None), "also give --processes"),
        (("localhost:1234", 2, 2), "--process 2: there are 2 processes, numbered 0 to 1"),
    ],
)
def test_processes_that_cannot_meet_are_refused_before_they_try(arguments, message):
    with pytest.raises(InputError, match=message):
        processes.join(*arguments)


def test_variables_are_read_and_checked(monkeypatch):
    monkeypatch.setenv("LOBJAX_PROCESSES", "two")
    with pytest.raises(InputError, match="LOBJAX_PROCESSES: 'two' is not a whole number"):
        processes.join()
    monkeypatch.setenv("LOBJAX_PROCESSES", "2")
    with pytest.raises(InputError, match="need --coordinator"):
        processes.join()


def test_one_process_is_alone():
    processes.join()
    processes.leave()
    assert processes.first() and processes.agreed(3) and processes.by_the_first(lambda: 5) == 5
