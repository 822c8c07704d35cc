"""`python -m bench prices`: a record of what building and updating took."""

import json

from bench.__main__ import main


def test_a_record_of_a_made_up_panel(capsys):
    main(["prices", "--symbols", "2", "--years", "1"])
    record = json.loads(capsys.readouterr().out)
    assert record["bench"] == "prices" and record["symbols"] == 2 and 500 < record["rows"] < 540 and record["runs"] == 5
    assert 0 < record["build_s_min"] <= record["build_s"] and 0 < record["update_s_min"] <= record["update_s"]
