"""The engine `host`: streams of messages by the reference's matching, compiled into programs on the CPU."""

from lobjax.engine.host.call import replay

__all__ = ["replay"]
