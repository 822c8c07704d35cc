"""Engines by name: the same messages give the same books, fills and counters, to the bit, whichever runs them."""

from lobjax.engine.engines import ENGINES, choose
from lobjax.engine.interface import Choice, StreamEngine
from lobjax.engine.running import run_streams, trace_streams
from lobjax.engine.stream import StreamResult, StreamTrace

__all__ = ["ENGINES", "Choice", "StreamEngine", "StreamResult", "StreamTrace", "choose", "run_streams", "trace_streams"]
