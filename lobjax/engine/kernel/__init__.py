"""The engine `kernel`: streams of messages through one fused GPU kernel."""

from lobjax.engine.kernel.call import interpreted, replay

__all__ = ["interpreted", "replay"]
