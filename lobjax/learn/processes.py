"""Several processes that train together, one or more on each host: how they meet, which one writes, and where they wait.

Each runs the same command with its own number. The first writes the run's folder; to resume, all must see that folder.
What lies on which device is `lobjax.learn.devices`' business.
"""

import os
import zlib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import jax
import numpy as np
from jax.experimental import multihost_utils

from lobjax.errors import InputError
from lobjax.ranges import whole_number

COORDINATOR, PROCESSES, PROCESS = "LOBJAX_COORDINATOR", "LOBJAX_PROCESSES", "LOBJAX_PROCESS"
T = TypeVar("T")


def join(coordinator: str | None = None, processes: int | None = None, process: int | None = None) -> None:
    """Become number `process` of `processes` that meet at `coordinator` (HOST:PORT, of process 0), before JAX is first used.

    What is None is read from the environment: LOBJAX_COORDINATOR, LOBJAX_PROCESSES, LOBJAX_PROCESS. Without a coordinator this process is
    alone. "auto" lets JAX ask the cluster that started it (Slurm, Open MPI, Kubernetes, TPU). InputError where the three do not fit.
    """
    coordinator = coordinator or os.environ.get(COORDINATOR) or None
    processes, process = (_number(*pair) for pair in ((processes, PROCESSES), (process, PROCESS)))
    if coordinator is None:
        if processes not in (None, 1) or process not in (None, 0):
            raise InputError("--processes and --process need --coordinator HOST:PORT, where process 0 runs")
        return
    if coordinator != "auto":
        _check(coordinator, processes, process)
    jax.config.update("jax_cpu_collectives_implementation", "gloo")  # what a CPU sums over processes with
    try:
        if coordinator == "auto":
            jax.distributed.initialize()
        else:
            jax.distributed.initialize(coordinator, processes, process)
    except (RuntimeError, ValueError) as error:
        said = str(error).splitlines()[0]
        raise InputError(f"--coordinator {coordinator}: the processes could not meet ({said}); check it") from None


def first() -> bool:
    """Whether this process is the one that writes."""
    return jax.process_index() == 0


def by_the_first(action: Callable[[], T]) -> T | None:
    """Run `action` in the first process while the others wait; where it fails they end too, with one line. Its result, there."""
    if jax.process_count() == 1:
        return action()
    failed: BaseException | None = None
    result = None
    if first():
        try:
            result = action()
        except Exception as error:
            failed = error
    if multihost_utils.process_allgather(np.int32(failed is not None)).any():
        raise failed or InputError("process 0 could not go on; its own message says why")
    return result


def agreed(number: int) -> bool:
    """Whether all processes have the same number."""
    if jax.process_count() == 1:
        return True
    return bool((multihost_utils.process_allgather(np.int32(number)) == number).all())


def check_alike(values: Mapping[str, Any]) -> None:
    """InputError, in every process, where these do not have the same values in all; names the first that differs."""
    if jax.process_count() == 1:
        return
    marks = np.array([zlib.crc32(repr(value).encode()) >> 1 for value in values.values()], np.int32)
    gathered = multihost_utils.process_allgather(marks)
    for name, column in zip(values, np.asarray(gathered).T, strict=True):
        if (column != column[0]).any():
            raise InputError(f"{name}: the processes differ in it, here it is {values[name]}; start all with the same")


def leave() -> None:
    """Wait for all and part: from here on every process is alone, on its own devices."""
    if jax.process_count() > 1:
        multihost_utils.sync_global_devices("the end of training")
        jax.distributed.shutdown()


def _number(given: int | None, name: str) -> int | None:
    text = os.environ.get(name)
    if given is not None or not text:
        return given
    return whole_number(name, text, 0, 65_536)


def _check(coordinator: str, processes: int | None, process: int | None) -> None:
    host, _, port = coordinator.rpartition(":")
    if not host or not port.isdecimal() or len(port) > 5 or not 0 < int(port) < 2**16:
        raise InputError(
            f"--coordinator {coordinator}: not HOST:PORT; name the host of process 0 and a free port there"
        )
    if processes is None or process is None:
        raise InputError(f"--coordinator {coordinator}: also give --processes (how many) and --process (which, from 0)")
    if not 0 <= process < processes:
        raise InputError(f"--process {process}: there are {processes} processes, numbered 0 to {processes - 1}")
