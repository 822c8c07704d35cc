"""Networks that forecast from a window of features, by kind: `cnn_lstm`, `deeplob`, `tlob`, and what is registered."""

from lobjax.forecast.nets.cnn_lstm import CNNLSTMConfig
from lobjax.forecast.nets.deeplob import DeepLOBConfig
from lobjax.forecast.nets.registry import (
    CLASSES,
    FORECAST_NETS,
    ForecastNet,
    ForecastNetConfig,
    ForecastNetSpec,
    count,
    make_forecast_net,
    register_forecast_net,
)
from lobjax.forecast.nets.tlob import TLOBConfig

__all__ = [
    "CLASSES", "FORECAST_NETS", "CNNLSTMConfig", "DeepLOBConfig", "ForecastNet", "ForecastNetConfig", "ForecastNetSpec", "TLOBConfig",
    "count", "make_forecast_net", "register_forecast_net",
]  # fmt: skip
