"""A recorded day as a flow: what it is configured by, its messages and starts on the device, and the flow that plays them.

Rows and books of a day by time are `lobjax.data.windows`, which knows no JAX; the Numba twin is in `lobjax.flow.host.draw`.
"""

from lobjax.flow.recorded.config import RecordedConfig, is_recorded, overlap, recorded_params, seconds_of_day
from lobjax.flow.recorded.flow import RecordedFlow, RecordedParams, to_device

__all__ = [
    "RecordedConfig",
    "RecordedFlow",
    "RecordedParams",
    "is_recorded",
    "overlap",
    "recorded_params",
    "seconds_of_day",
    "to_device",
]
