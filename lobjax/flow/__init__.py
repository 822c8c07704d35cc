"""Flows: who moves the book when no agent does."""

from lobjax.flow.base import Flow, Opening
from lobjax.flow.poisson import PoissonConfig, PoissonFlow, PoissonParams
from lobjax.flow.recorded import RecordedFlow, RecordedParams

__all__ = ["Flow", "Opening", "PoissonConfig", "PoissonFlow", "PoissonParams", "RecordedFlow", "RecordedParams"]
