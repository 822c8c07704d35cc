"""The report's page: wide tables scroll under a name, by keyboard too; what comes from outside stays text."""

from xml.etree import ElementTree

from lobjax.results.report import page

NAMES = ["", "twap", "<b>bold</b>", "quote \" and '", "שחקן", "a_long_name", "x" * 80]


def _table():
    rows = [[("shortfall, ticks", ""), *[("1.0", "(0.9 to 1.1)")] * 6], [("last & least", ""), *[("2", "")] * 6]]
    return ElementTree.fromstring(page.table('Results "all"', NAMES, rows, strong_last=True).replace("<wbr>", ""))


def test_a_table_scrolls_in_a_region_that_the_keyboard_reaches():
    region = _table()
    assert region.attrib == {"class": "scroll", "role": "region", "tabindex": "0", "aria-label": 'Results "all"'}
    assert [row.get("class") for row in region.iter("tr")] == [None, None, "strong"]
    rule = page.CSS.split(".scroll {")[1].split("}")[0]
    assert (
        "overflow-x: auto" in rule and "background-attachment: local" in rule
    )  # scrolls, with a shadow for what is hidden
    assert ".scroll:focus-visible" in page.CSS and "position: sticky; left: 0" in page.CSS


def test_names_stay_text_and_may_go_on_after_an_underscore():
    heads = list(_table().iter("th"))
    assert ["".join(head.itertext()) for head in heads] == NAMES
    assert all(head[0].tag == "bdi" for head in heads)  # a name written right to left turns nothing else round
    assert "a_<wbr>long_<wbr>name" in page.table("x", NAMES, [])


def test_paper_shows_the_whole_table():
    printed = page.CSS.split("@media print {")[1]
    assert ".scroll { overflow: visible" in printed and "white-space: normal" in printed
