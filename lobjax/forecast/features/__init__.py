"""The 78 features of a recorded day, without look-ahead; one file a family."""

from lobjax.forecast.features.rows import LEVELS, Rows, read_rows, rows_of
from lobjax.forecast.features.samples import EVERY, Sampler, Samples, flow_imbalance, sample_day
from lobjax.forecast.features.stream import NAMES, DayStream, FeatureStream, day_features, features_of, mask

__all__ = [
    "EVERY", "LEVELS", "NAMES", "DayStream", "FeatureStream", "Rows", "Sampler", "Samples", "day_features", "features_of", "flow_imbalance",
    "mask", "read_rows", "rows_of", "sample_day",
]  # fmt: skip
