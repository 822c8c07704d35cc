"""Online portfolio selection on the classic sets of price relatives, beside the papers' tables."""
