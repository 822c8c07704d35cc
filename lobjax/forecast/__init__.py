"""Forecasts of the mid: labels, scalers, features, baselines, scores, calibration, walk-forward folds, drift."""
