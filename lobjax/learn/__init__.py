"""Training: configurations, learners, runs and their folders; `train/` holds the commands on it."""
