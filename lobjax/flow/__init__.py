"""Flows: who moves the book when no agent does. `FLOWS` has them by the kind that a configuration names."""

from lobjax.flow.base import Flow, Opening
from lobjax.flow.mixed import MixedConfig, MixedFlow, MixedParams
from lobjax.flow.poisson import PoissonConfig, PoissonFlow, PoissonParams
from lobjax.flow.recorded import RecordedConfig, RecordedFlow, RecordedParams, is_recorded, overlap
from lobjax.flow.registry import FLOWS, FlowSpec, Made, Needs, data_files, make_flow, register
from lobjax.flow.strategic import StrategicConfig, StrategicFlow, StrategicParams
from lobjax.flow.tactical import TacticalConfig

__all__ = [
    "FLOWS",
    "Flow",
    "FlowSpec",
    "Made",
    "MixedConfig",
    "MixedFlow",
    "MixedParams",
    "Needs",
    "Opening",
    "PoissonConfig",
    "PoissonFlow",
    "PoissonParams",
    "RecordedConfig",
    "RecordedFlow",
    "RecordedParams",
    "StrategicConfig",
    "StrategicFlow",
    "StrategicParams",
    "TacticalConfig",
    "data_files",
    "is_recorded",
    "make_flow",
    "overlap",
    "register",
]
