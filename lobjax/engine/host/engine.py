"""The engine `host` as those know it who choose one."""

import jax

from lobjax.engine.host.call import run, trace
from lobjax.engine.interface import StreamEngine
from lobjax.ffi import handlers

ENGINE = StreamEngine(
    run=run,
    trace=trace,
    refusal=lambda capacity: handlers.refusal(),
    suits=lambda: "the fastest on the CPU" if jax.default_backend() == "cpu" else None,
)
