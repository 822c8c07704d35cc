"""`python -m bench portfolio-case`: small cases of a portfolio through the environment's functions, step by step."""

import json
import sys
from pathlib import Path

import tyro

from lobjax.errors import InputError
from lobjax.files import whole_file


def portfolio_case(cases: tyro.conf.Positional[Path], /, *, out: Path, float32: bool = False) -> None:
    """Play the cases of a file and write what came of them; status 1 where the reference in NumPy does not agree.

    Args:
        cases: JSON {name: case}; a case holds raw (open, high, low, close, volume, each [session][asset], null where there is no bar),
            targets [step][asset] (null: hold), and may hold split, dividend_factor, delisted_at, delist_return, kappa [step][asset].
        out: JSON {name: figures}: features, mask, mu, turnover, log_return, wealth, weights before and after each trade.
        float32: in single precision, as environments run; otherwise in double.
    """
    from bench.verification.portfolio.cases import read_cases
    from bench.verification.portfolio.witness import WITHIN, witness

    if out.is_dir():
        raise InputError(f"--out {out}: is a folder; name a file")
    read = read_cases(cases)
    found = {name: witness(case, single=float32) for name, case in read.items()}
    with whole_file(out) as temporary:
        temporary.write_text(
            json.dumps({name: figures for name, (figures, _) in found.items()}, allow_nan=False), encoding="utf-8"
        )
    apart = {name: distance for name, (_, distance) in found.items()}
    within = WITHIN["float32" if float32 else "float64"]
    wrong = [name for name, distance in apart.items() if not distance <= within]
    for name in wrong:
        print(
            f"{name}: a step's log return is {apart[name]:.3g} from the reference, beyond {within:g}", file=sys.stderr
        )
    print(json.dumps({"cases": len(read), "most_apart": max(apart.values()), "wrong": wrong, "out": str(out)}))
    if wrong:
        raise SystemExit(1)
