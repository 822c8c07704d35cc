"""`python -m bench forecast-case`: small cases of labels, scalers, scores, risk and drift through the library's own functions."""

import json
from pathlib import Path

import tyro

from lobjax.files import whole_file
from lobjax.reading import MOST_TEXT
from lobjax.schema import read_shape


def forecast_case(cases: tyro.conf.Positional[Path], /, *, out: Path) -> None:
    """Answer the requests of a JSON file in double precision, for who wants to compare with figures of their own.

    {"requests": [{"what": "label" | "scale" | "scores" | "risk" | "exceptions" | "breaker" | "drift", ...}]} gives {"results": [{...}]},
    one object each; null for what is undefined. docs/forecast.md says what each takes.

    Args:
        cases: The requests.
        out: The file to write, whole or not at all.
    """
    from bench.verification.forecast_case import Cases, answers

    asked = read_shape(Cases, cases, most=MOST_TEXT, what="file of cases", advice="docs/forecast.md has an example")
    results = answers(asked["requests"], str(cases))
    with whole_file(out) as temporary:
        temporary.write_text(json.dumps({"results": results}, allow_nan=False) + "\n", encoding="utf-8")
    print(json.dumps({"requests": len(results), "out": str(out)}))
