"""The one file that knows about torch's processes: which part of the batch is ours, what is averaged over all, DistributedDataParallel.

One process a GPU, started by torchrun; without it there is one. Environments are split over processes in order, as over devices in
`lobjax.learn.devices`, and a saved state is whole, so a run may go on with another number of processes.
"""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from lobjax.errors import InputError
from lobjax.ranges import whole_number

MOST_PROCESSES = 65_536
T = TypeVar("T")


class Group(NamedTuple):
    """This process among all; a `lobjax.learn.backend.ProcessGroup`."""

    rank: int
    size: int
    device: torch.device

    def first(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    def by_the_first(self, action: Callable[[], T]) -> T | None:
        """Run `action` in the first process while the others wait; where it fails they end too, with its line. Its result, there."""
        failed: Exception | None = None
        result = None
        if self.first():
            try:
                result = action()
            except Exception as error:
                failed = error
        said = next((told for told in self.told(failed and str(failed)) if told is not None), None)
        if said is not None:
            raise failed or InputError(said)
        return result

    def agreed(self, number: int) -> bool:
        """Whether all processes have the same number."""
        return len(set(self.told(number))) == 1

    def leave(self) -> None:
        """Training has ended; `group` parts the processes."""

    def told(self, what: T) -> list[T]:
        """What each process says, in all of them."""
        if self.size == 1:
            return [what]
        heard: list[Any] = [None] * self.size
        dist.all_gather_object(heard, what)
        return heard

    def part(self, n_envs: int) -> slice:
        """Our environments among `n_envs`; InputError where they do not divide."""
        if n_envs % self.size:
            raise InputError(f"config.n_envs: {n_envs} does not divide over {self.size} processes; make it a multiple")
        each = n_envs // self.size
        return slice(self.rank * each, (self.rank + 1) * each)

    def mean(self, x: torch.Tensor) -> torch.Tensor:
        """The mean over processes, the same on each."""
        return self.total(x) / self.size

    def total(self, x: torch.Tensor) -> torch.Tensor:
        """The sum over processes."""
        if self.size == 1:
            return x
        x = x.clone()
        dist.all_reduce(x)
        return x

    def wrap(self, module: nn.Module) -> nn.Module:
        """The module whose backward averages gradients over processes."""
        if self.size == 1:
            return module
        ids = [self.device.index] if self.device.type == "cuda" else None
        return DistributedDataParallel(module, device_ids=ids)

    def gathered(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Arrays [B / size, ...] of all processes as [B, ...] on the first; {} on others. Scalars are shared by all."""
        if self.size == 1:
            return arrays
        parts: list[Any] | None = [None] * self.size if self.first() else None
        dist.gather_object(arrays, parts, dst=0)
        if parts is None:
            return {}
        return {k: x if x.ndim == 0 else np.concatenate([p[k] for p in parts]) for k, x in arrays.items()}


@contextmanager
def group(device: str) -> Iterator[Group]:
    """Join the processes that torchrun started, if it did; `device` "auto" takes a GPU where there is one.

    InputError where the environment that torchrun leaves does not say how.
    """
    size, rank, local = (
        _from_environment("WORLD_SIZE", 1, 1),
        _from_environment("RANK"),
        _from_environment("LOCAL_RANK"),
    )
    if rank >= size:
        raise InputError(
            f"RANK={rank}: there are {size} processes (WORLD_SIZE), numbered from 0; start them with torchrun"
        )
    place = _device(device, local)
    if size == 1:
        yield Group(0, 1, place)
        return
    _check_meeting_place()
    if place.type == "cuda":
        torch.cuda.set_device(place)
    try:
        dist.init_process_group("nccl" if place.type == "cuda" else "gloo", rank=rank, world_size=size)
    except (RuntimeError, ValueError) as error:
        raise InputError(
            f"torchrun: the {size} processes could not meet ({str(error).splitlines()[0]}); check it"
        ) from None
    try:
        yield Group(rank, size, place)
    finally:
        dist.destroy_process_group()


def processes_here() -> int:
    """How many of the processes are on this machine."""
    return _from_environment("LOCAL_WORLD_SIZE", 1, 1)


def _from_environment(name: str, default: int = 0, low: int = 0) -> int:
    text = os.environ.get(name, "").strip()
    return whole_number(name, text, low, MOST_PROCESSES) if text else default


def _check_meeting_place() -> None:
    """InputError where there is no process 0 to look for: torch itself would for many minutes."""
    host, port = os.environ.get("MASTER_ADDR", "").strip(), _from_environment("MASTER_PORT")
    if not host or not 0 < port < 2**16:
        raise InputError("WORLD_SIZE: several processes meet at MASTER_ADDR and MASTER_PORT; start them with torchrun")
    try:
        socket.getaddrinfo(host, port)
    except OSError as error:
        raise InputError(f"MASTER_ADDR={host}: {error.strerror}; name the host of process 0") from None


def _device(wanted: str, local: int) -> torch.device:
    if wanted not in ("auto", "cpu", "cuda"):
        raise InputError(f"--device {wanted}: unknown; known: auto, cpu, cuda")
    present = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wanted == "cpu" or (wanted == "auto" and not present):
        return torch.device("cpu")
    if local >= present:
        raise InputError(f"--device cuda: process {local} finds {present} GPUs; start no more processes than there are")
    return torch.device("cuda", local)
