"""`python -m bench forecast-case`: every kind of request, what is undefined, every value of the contract's file, what is refused."""

import json

import numpy as np
import pytest

from bench.__main__ import main

RETURNS = [0.012, -0.004, 0.007, -0.021, 0.003, 0.009, -0.013, 0.001, -0.008, 0.015]


def ask(tmp_path, *requests):
    cases, out = tmp_path / "in.json", tmp_path / "out.json"
    cases.write_text(json.dumps({"requests": requests}))
    main(["forecast-case", str(cases), "--out", str(out)])
    return json.loads(out.read_text())["results"]


def refused(tmp_path, capsys, text):
    cases, out = tmp_path / "in.json", tmp_path / "out.json"
    cases.write_text(text)
    with pytest.raises(SystemExit) as stop:
        main(["forecast-case", str(cases), "--out", str(out)])
    said = capsys.readouterr()
    assert stop.value.code == 2 and not said.out and said.err.count("\n") == 1 and not out.exists(), said
    return said.err


def test_what_is_undefined_is_null(tmp_path):
    label, scaled, risk, none, found = ask(
        tmp_path,
        {"what": "label", "rule": "tlob", "mid": [1, 2, 3], "k": 7, "h": 10},
        {"what": "scale", "rule": "rolling", "x": [], "window": 3},
        {"what": "risk", "returns": [0.01], "level": 0.99},
        {"what": "exceptions", "hits": [0, 0, False], "p": 0.05},
        {"what": "scores", "p": [[1, 0, 0]], "y": [1]},
    )
    assert label == {"value": [None] * 3} and scaled == {"value": []}
    assert risk == {
        "var_historical": -0.01, "cvar_historical": -0.01, "var_normal": None, "cvar_normal": None, "ewma_deviation": 0.01,
    }  # fmt: skip
    assert (none["n"], none["exceptions"], none["lr_ind"], none["p_ind"], none["lr_tuff"]) == (3, 0, 0, 1, None)
    assert found["nll"] is None and found["accuracy"] == 0


def close(found, wanted):
    """To 1e-9, lists and nulls alike."""
    as_array = lambda x: np.array([np.nan if v is None else v for v in np.ravel(np.array(x, object))], float)  # noqa: E731
    np.testing.assert_allclose(as_array(found), as_array(wanted), rtol=0, atol=1e-9)


def test_every_value_of_the_contract(real_data, tmp_path):
    path = real_data.parent / "values" / "forecast_values.json"
    if not path.is_file():
        pytest.skip(f"no {path}")
    values = json.loads(path.read_text())
    mid, var, given = values["mid"], values["var"], values["scores"]
    x = [[v] for v in (1, 2, 4, 8, 16, 15, 14)]
    asked = [
        ({"what": "label", "rule": "deeplob", "mid": mid, "k": 2}, {"value": values["label_deeplob_k2"]}),
        ({"what": "label", "rule": "fi2010", "mid": mid, "k": 2}, {"value": values["label_fi2010_k2"]}),
        ({"what": "label", "rule": "tlob", "mid": mid, "k": 1, "h": 4}, {"value": values["label_tlob_h4_k1"]}),
        (
            {"what": "scale", "rule": "expanding", "x": x, "warm": 2, "window": 3},
            {"value": values["z_expanding_warm2"]},
        ),
        ({"what": "scale", "rule": "rolling", "x": x, "warm": 2, "window": 3}, {"value": values["z_rolling_3"]}),
        (
            {"what": "scores", "p": given["P"], "y": given["y"], "bins": 15},
            {name: given[name] for name in ("accuracy", "mcc", "nll", "brier")}
            | {"macro_f1": given["f1"]["macro"], "ece": given["ece15"]},
        ),
        ({"what": "scores", "p": given["P"], "y": given["y"], "bins": 5}, {"ece": given["ece5"]}),
        (
            {"what": "drift", "reference": values["drift"]["ref"], "current": values["drift"]["cur"], "bins": 10},
            {name: values["drift"][name] for name in ("psi", "ks")},
        ),
        ({"what": "exceptions", "hits": [0] * 250, "p": 0.01}, values["no_hits"]),
    ]
    for percent in (90, 92, 95, 99):
        wanted = {"ewma_deviation": var["ewma_sd_next"]}
        names = {
            "var_historical": "hist",
            "cvar_historical": "cvar",
            "var_normal": "normal",
            "cvar_normal": "cvar_normal",
        }
        for name, theirs in names.items():
            if f"{theirs}_{percent}" in var:
                wanted[name] = var[f"{theirs}_{percent}"]
        asked.append(({"what": "risk", "returns": var["returns"], "level": percent / 100}, wanted))
    for name in ("clustered", "spread"):
        asked.append(
            ({"what": "exceptions", "hits": values[f"hits_{name}"], "p": 0.05}, values[f"christoffersen_{name}"])
        )
    for name, (lr, p) in values["kupiec"].items():
        n, count, chance = (float(part.split("=")[1]) for part in name.split(","))
        hits = [1] * int(count) + [0] * int(n - count)
        asked.append(({"what": "exceptions", "hits": hits, "p": chance}, {"lr_uc": lr, "p_uc": p}))
    for name, (lr, p) in values["tuff"].items():
        v, chance = (float(part.split("=")[1]) for part in name.split(","))
        asked.append(
            ({"what": "exceptions", "hits": [0] * int(v - 1) + [1], "p": chance}, {"lr_tuff": lr, "p_tuff": p})
        )
    sequence = values["breaker"]["sequence"]
    asked.append(({"what": "breaker", "config": values["breaker"]["config"], "ticks": sequence}, {}))
    results = ask(tmp_path, *(request for request, _ in asked))
    assert results[-1]["states"] == [tick["state"] for tick in sequence]
    for (request, wanted), found in zip(asked, results, strict=True):
        for name in wanted.keys() & found.keys():
            close(found[name], wanted[name])
        assert wanted.keys() <= found.keys() | {"n00", "n01", "n10", "n11", "first"}, request["what"]


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"what": "lable"}, "did you mean 'label'?"),
        ({"what": 5}, "unknown what"),
        ({"what": "label", "rule": "deeplob", "mid": [1, None], "k": 1}, "mid[1]"),
        ({"what": "label", "rule": "deplob", "mid": [1], "k": 1}, "'deplob'"),
        ({"what": "label", "rule": "fi2010", "mid": [1, -1], "k": 1}, "above 0"),
        ({"what": "label", "rule": "fi2010", "mid": [1, 1], "k": 0}, "k is 0"),
        ({"what": "scale", "rule": "rolling", "x": [[1]]}, "no key 'window'"),
        ({"what": "scale", "rule": "expanding", "x": [[1], [1, 2]], "warm": 2}, "several lengths"),
        ({"what": "scores", "p": [[0.5, 0.4]], "y": [0]}, "no probabilities"),
        ({"what": "scores", "p": [[0.5, 0.5]], "y": [0], "bins": 0}, "bins is 0"),
        ({"what": "risk", "returns": RETURNS, "level": 1}, "level 1"),
        ({"what": "exceptions", "hits": [2], "p": 0.05}, "hits[0]"),
        ({"what": "exceptions", "hits": [1], "p": 0}, "p is 0"),
        ({"what": "breaker", "config": {"capp": 1}, "ticks": []}, "did you mean 'cap'?"),
        ({"what": "breaker", "config": {}, "ticks": [{"time": 0}]}, "no key"),
        ({"what": "drift", "reference": [], "current": [1]}, "one or more"),
    ],
)
def test_what_is_refused(tmp_path, capsys, request_, said):
    line = refused(tmp_path, capsys, json.dumps({"requests": [request_]}))
    assert said in line and "request 0" in line


NAN = '{"requests": [{"what": "risk", "returns": [NaN], "level": 0.9}]}'


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"requests": 1}', '{"requests": [1]}', NAN])
def test_files_that_are_none(tmp_path, capsys, text):
    refused(tmp_path, capsys, text)
