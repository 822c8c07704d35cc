"""Which checkpoints stay: the best by a metric is named in `best.json`, old ones go where the configuration says so.

The best is that of the checkpoints that are there, the earliest of equals, and it is never removed: so a run that was killed at any moment
and resumed ends with the same folders as one that was not.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lobjax.files import whole_file
from lobjax.learn import checkpoint
from lobjax.learn.pace import BestConfig

BEST = "best.json"


def value_of(line: Mapping[str, Any], best: BestConfig | None) -> float | None:
    """The metric of an update's line that `best` names; None where there is none, such as the return when no episode ended."""
    if best is None or ("episode/" in best.metric and not line.get("episode/count")):
        return None
    value = line.get(best.metric)
    return value if isinstance(value, float) and math.isfinite(value) else None


def settle(folder: Path, values: Mapping[int, float | None], best: BestConfig | None, keep: int | None) -> None:
    """Write `best.json` and remove what need not stay. `values`: the metric by update; `keep` None keeps all."""
    saved = checkpoint.numbered(folder)
    chosen = _best(sorted(saved), values, best)
    if best is not None and chosen is not None:
        about = {
            "checkpoint": saved[chosen].name,
            "metric": best.metric,
            "value": values[chosen],
            "better": best.better,
        }
        with whole_file(folder / BEST) as temporary:
            temporary.write_text(json.dumps(about) + "\n", encoding="utf-8")
    else:
        (folder / BEST).unlink(missing_ok=True)
    if keep is not None:
        for update in sorted(saved)[:-keep]:
            if update != chosen:
                checkpoint.remove(saved[update])


def _best(updates: list[int], values: Mapping[int, float | None], best: BestConfig | None) -> int | None:
    known = [(value, u) for u in updates if (value := values.get(u)) is not None]
    if best is None or not known:
        return None
    sign = 1 if best.better == "smaller" else -1
    return min(known, key=lambda pair: (sign * pair[0], pair[1]))[1]
