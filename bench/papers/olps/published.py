"""What the papers' tables print as final wealth without costs, by rule and set (Li and Hoi 2014, and each rule's paper)."""

SETS = ("nyse_o", "nyse_n", "tse", "sp500", "msci", "djia")

# Nothing stands where a table was not at hand.
PUBLISHED: dict[str, dict[str, str]] = {
    "ubah": dict(zip(SETS, ("14.50", "18.06", "1.61", "1.34", "0.91", "0.76"), strict=True)),
    "best": dict(zip(SETS, ("54.14", "83.51", "6.28", "3.78", "1.50", "1.19"), strict=True)),
    "ucrp": dict(zip(SETS, ("27.08", "31.55", "1.60", "1.65", "0.93", "0.81"), strict=True)),
    "bcrp": dict(zip(SETS, ("250.60", "120.32", "6.78", "4.07", "1.51", "1.24"), strict=True)),
    "eg": {"nyse_o": "27.09", "nyse_n": "31.00", "tse": "1.59", "sp500": "1.63"},
    "ons": {"nyse_o": "109.19", "nyse_n": "21.59", "msci": "0.86", "djia": "1.53"},
    "pamr": {"nyse_o": "5.14e15", "nyse_n": "1.25e6", "tse": "264.86", "msci": "15.23", "djia": "0.68"},
    "cwmr_stdev": {"nyse_o": "6.49e15", "nyse_n": "1.41e6", "tse": "332.62"},
    "olmar1": {"nyse_o": "4.04e16", "nyse_n": "2.24e8"},
    "olmar2": {"nyse_o": "1.02e18", "nyse_n": "4.69e8", "tse": "732.44", "msci": "22.51", "djia": "1.16"},
    "rmr": {"nyse_o": "1.64e17", "nyse_n": "3.25e8", "tse": "181.34", "msci": "16.76", "djia": "2.67"},
    "anticor": {"tse": "39.36"},
}
WHY = {
    "olmar1": "its formula, and its authors' program, do not give the paper's table; a window of 4 comes within 4%",
    "anticor": "windows that have not begun hold the same, and how their ties are broken moves the figure by 1%",
}


def agrees(ours: float, printed: str) -> bool:
    """Whether a number rounds to what is printed."""
    digits = printed.partition("e")[0]
    unit = 10.0 ** (int(printed.partition("e")[2] or 0) - len(digits.partition(".")[2]))
    return abs(ours - float(printed)) <= 0.5 * unit * (1 + 1e-9)
