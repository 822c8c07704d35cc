"""Flows: who moves the book when no agent does."""

from lobjax.flow.base import Flow, Opening
from lobjax.flow.mixed import MixedConfig, MixedFlow, MixedParams
from lobjax.flow.poisson import PoissonConfig, PoissonFlow, PoissonParams
from lobjax.flow.recorded import RecordedFlow, RecordedParams
from lobjax.flow.strategic import StrategicConfig, StrategicFlow, StrategicParams
from lobjax.flow.tactical import TacticalConfig

__all__ = [
    "Flow",
    "MixedConfig",
    "MixedFlow",
    "MixedParams",
    "Opening",
    "PoissonConfig",
    "PoissonFlow",
    "PoissonParams",
    "RecordedFlow",
    "RecordedParams",
    "StrategicConfig",
    "StrategicFlow",
    "StrategicParams",
    "TacticalConfig",
]
