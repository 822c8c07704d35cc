"""What happens after `os.fork`: a child in which JAX cannot work says so at once.

XLA's threads, and those of Numba's parallel loops, are not in the child; a compiled program that waits for them waits for ever, the
caller of a DataLoader or of a server with it. A process that forks before JAX has started its devices is left alone, and so is a
child that calls nothing of JAX.
"""

import os
import sys
from typing import Any, NoReturn

from lobjax.errors import InputError

FORKED = (
    "this process was forked from one in which JAX was running, and JAX's threads are not in it; start new processes with spawn: "
    "multiprocessing.get_context('spawn'), DataLoader(..., multiprocessing_context='spawn')"
)


class _Refusal:
    """The value of a setting that JAX asks before it runs anything: asked whether it is true, it raises."""

    def __bool__(self) -> NoReturn:
        raise InputError(FORKED)


def watch() -> None:
    """From now on children of `os.fork` refuse JAX's programs where the parent ran any; once a process."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_in_child)


def _in_child() -> None:
    bridge = sys.modules.get("jax._src.xla_bridge")
    # Not `backends_are_initialized`, which takes a lock that a thread of the parent may have held.
    if bridge is None or not (bridge._backends or bridge._backend_lock.locked()):
        return
    config = sys.modules["jax._src.config"]
    # `no_execution` is part of the key of compiled programs: those that JAX would call without a look at Python are looked up anew,
    # which asks `no_tracing`; programs that were compiled ahead of time ask `no_execution`.
    for setting in (config.no_tracing, config.no_execution):
        setting.set_global(_Refusal())
    _guard_initializer()


def _guard_initializer() -> None:
    """Let a worker of `multiprocessing.Pool` whose initializer is refused answer its tasks with that.

    A worker that ends in its initializer is started again, for ever, while the caller of `Pool.map` waits.
    """
    pool, frame = sys.modules.get("multiprocessing.pool"), sys._getframe()
    while (
        frame is not None and "process_obj" not in frame.f_locals
    ):  # of the function that forks for a process of multiprocessing
        frame = frame.f_back
    process: Any = frame.f_locals["process_obj"] if frame is not None else None
    if pool is None or getattr(process, "_target", None) is not pool.worker:
        return
    tasks, answers, initializer, *others = process._args

    def guarded(*args: Any) -> None:
        try:
            initializer(*args)
        except InputError as error:
            if str(error) != FORKED:
                raise
            while (task := tasks.get()) is not None:
                answers.put((*task[:2], (False, error)))
            raise SystemExit(0) from None

    if initializer is not None:
        process._args = (tasks, answers, guarded, *others)
