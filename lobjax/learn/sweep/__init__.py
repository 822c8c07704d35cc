"""Sweeps: many runs of one configuration with other values, as few compiled programs as there are shapes among them.

config   what a sweep is, and everything that can be checked before it starts
space    what is searched: values by dotted key
batching which values are data to a compiled program, so that runs with other values share it
play     one program: its runs side by side, update by update, without those that are pruned
propose  what is tried next, and what is not worth going on with (optuna)
table    trials.parquet, a row for each trial and seed
run      the loop over batches, new or going on after a kill
cluster  the same loop with programs as trials of Ray Tune
report   the ranking with intervals over seeds, and figures
"""
