"""The witness: the contract's four days through the environment's functions, and cases that are refused."""

import json

import pytest

from bench.__main__ import main
from tests.portfolio.panels import hand_case


@pytest.fixture
def play(tmp_path, capsys):
    def run(cases: dict, *options: str) -> dict:
        given, out = tmp_path / "cases.json", tmp_path / "out.json"
        given.write_text(json.dumps(cases))
        main(["portfolio-case", str(given), "--out", str(out), *options])
        assert json.loads(capsys.readouterr().out.splitlines()[-1])["wrong"] == []
        return json.loads(out.read_text())

    return run


@pytest.mark.parametrize(("options", "within"), [((), 5e-7), (("--float32",), 2e-6)])
def test_four_days_by_hand(play, options, within):
    cases = {
        "10 bp": hand_case(),
        "free": hand_case(kappa=None),
        "hold": hand_case(targets=[[0.5, 0.3], None, [0.2, 0.7]]),
        "5%": hand_case(kappa=[[0.05, 0.05]] * 3),
    }
    found = play(cases, *options)
    assert found["10 bp"]["mu"] == pytest.approx([0.999201, 0.999962, 0.999356], abs=within)
    assert found["10 bp"]["turnover"] == pytest.approx([0.799361, 0.038103, 0.643957], abs=within)
    assert found["10 bp"]["log_return"] == pytest.approx([0.047990, 0.004949, -0.040425], abs=within)
    assert found["10 bp"]["wealth"] == pytest.approx([1.049161, 1.054366, 1.012594], abs=within)
    assert found["10 bp"]["weights_before_trade"][2] == pytest.approx([0.472637, 0.328358], abs=within)
    assert found["10 bp"]["weights_after_trade"][2] == pytest.approx([0.2, 0.7], abs=within)
    assert found["free"]["wealth"][-1] == pytest.approx(1.014095, abs=within)
    assert found["hold"]["wealth"][-1] == pytest.approx(1.009954, abs=within)
    assert sum(found["5%"]["log_return"]) == pytest.approx(-0.059082, abs=within)


def test_every_published_value(play, real_data):
    cases = json.loads((real_data.parent / "values" / "portfolio_values.json").read_text())["small_cases"]
    for options, within in (((), 1e-10), (("--float32",), 2e-6)):
        found = play(cases, *options)
        for name, case in cases.items():
            for figure, values in found[name].items():
                assert flat(values) == pytest.approx(flat(case[figure]), abs=within), (name, figure)


def flat(values) -> list:
    return [x for value in values for x in flat(value)] if isinstance(values, list) else [values]


def test_a_bank_that_fails_and_a_short_that_ends_it_all(play):
    gone = hand_case(delisted_at=[None, "d3"], delist_return=-1.0, sessions=["d0", "d1", "d2", "d3", "d4"], kappa=None)
    ruin = hand_case(targets=[[0, 0], [-1.0, 0], [-1.0, 0]], kappa=None)
    for field in ("open", "high", "low", "close"):
        ruin["raw"][field][3][0] = 500.0
    found = play({"gone": gone, "ruin": ruin})
    assert found["gone"]["weights_before_trade"][2][1] == 0
    assert found["gone"]["wealth"][1] == pytest.approx(1.05 * (1 + 0.5 * (104.5 / 110 - 1) - 0.3))
    assert found["ruin"]["log_return"] == [0, None, None]
    assert found["ruin"]["wealth"] == [1, 0, None]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"targets": [[0.5, 0.3]]}, "targets must be 3 lists"),
        ({"targets": [[0.5, None], [0.5, 0.3], [0.2, 0.7]]}, "no number"),
        ({"split": [[1, 1]]}, "split: expected 5 lists of 2"),
        ({"split": [[1, 0]] + [[1, 1]] * 4}, "split has 0"),
        ({"delisted_at": [None, "friday"]}, "friday is no session"),
        ({"delist_return": -2}, "delist_return"),
        ({"kappa": [[0.5, 0.001]] * 3}, "kappa has 0.5"),
        ({"kappa": [[None, 0.001]] * 3}, "kappa[0][0] is null"),
        ({"raw": {}}, "raw must hold"),
        ({"sessions": ["d0"]}, "list of 5 names"),
    ],
)
def test_what_is_no_case_is_refused_in_a_line(tmp_path, capsys, change, said):
    given, out = tmp_path / "cases.json", tmp_path / "out.json"
    given.write_text(json.dumps({"mine": {**hand_case(), **change}}))
    with pytest.raises(SystemExit, match="2"):
        main(["portfolio-case", str(given), "--out", str(out)])
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert "mine" in line
    assert not out.exists()
