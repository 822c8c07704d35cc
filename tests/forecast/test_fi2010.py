"""FI-2010's text form: a file of its shape is read, and what is not of it is named."""

import numpy as np
import pytest

from lobjax.errors import InputError
from lobjax.forecast.fi2010 import HORIZONS, read_fi2010
from lobjax.forecast.labels import DOWN, STATIONARY, UP


def written(path, rows):
    path.write_text("\n".join("  ".join(f"{v:.7e}" for v in row) for row in rows) + "\n")
    return path


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(size=(144, 30)), rng.integers(1, 4, (5, 30))])


def test_a_file_of_that_shape(tmp_path, rows):
    found = read_fi2010(written(tmp_path / "day.txt", rows))
    assert (
        found.book.shape == (30, 10, 2, 2)
        and found.features.shape == (30, 104)
        and found.classes.shape == (30, len(HORIZONS))
    )
    for level in (0, 9):
        for side, first in ((0, 2), (1, 0)):  # bids, asks
            np.testing.assert_allclose(
                found.book[:, level, side], rows[4 * level + first : 4 * level + first + 2].T, atol=1e-7
            )
    np.testing.assert_allclose(found.features[:, -1], rows[143], atol=1e-7)
    codes = {1: UP, 2: STATIONARY, 3: DOWN}
    assert found.classes[:, 0].tolist() == [codes[int(code)] for code in rows[144]]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: r[:148], "148 rows, not 149"),
        (lambda r: np.concatenate([r, r[:1]]), "more than 149 rows"),
        (lambda r: np.concatenate([r[:-1], np.full((1, 30), 4.0)]), "row 149, column 1: class 4 is not 1, 2 or 3"),
        (
            lambda r: np.concatenate([r[:3], np.full((1, 30), np.nan), r[4:]]),
            "row 4, column 1: nan is not a finite number",
        ),
        (lambda r: r.T, "30 rows"),
        (lambda r: r[:0], "0 rows"),
    ],
)
def test_what_is_refused(tmp_path, rows, change, said):
    with pytest.raises(InputError, match=said):
        read_fi2010(written(tmp_path / "day.txt", change(rows)))


def test_text_and_torn_rows(tmp_path, rows):
    path = written(tmp_path / "day.txt", rows)
    whole = path.read_text()
    path.write_text(whole.replace("e", "x", 1))
    with pytest.raises(InputError, match="row 1: not a row of numbers"):
        read_fi2010(path)
    lines = whole.splitlines()
    path.write_text("\n".join([*lines[:50], lines[50][:100], *lines[51:]]))
    with pytest.raises(InputError, match="row 51"):
        read_fi2010(path)
