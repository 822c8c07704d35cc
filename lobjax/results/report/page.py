"""The report's page: one HTML file that needs nothing else. Everything that comes from outside is escaped."""

import base64
import html
import re
from collections.abc import Iterable, Sequence

CSS = """
:root { --ink: #22303c; --soft: #5b6875; --line: #dfe5ea; --paper: #ffffff; --wash: #f5f7f9; --blue: #1d5fa6; --shade: #22303c55; }
* { box-sizing: border-box; }
body { margin: 0; overflow-wrap: anywhere; background: var(--wash); color: var(--ink);
  font: 16px/1.55 system-ui, "Segoe UI", Roboto, Arial, sans-serif; }
main { max-width: 960px; margin: 0 auto; padding: 40px 28px 60px; background: var(--paper); }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 .2rem; }
h2 { font-size: 1.2rem; margin: 2.6rem 0 .6rem; padding-top: 1rem; border-top: 1px solid var(--line); }
p { margin: .5rem 0; max-width: 46rem; } .soft { color: var(--soft); }
ul { padding-left: 1.2rem; margin: .4rem 0; } li { margin: .25rem 0; }
.box { border-left: 4px solid var(--blue); background: var(--wash); padding: .7rem 1.1rem; margin: 1rem 0; }
.box.warn { border-color: #c98a1b; background: #fdf6e7; } .box p { margin: .25rem 0; }
table { border-collapse: collapse; font-size: .9rem; margin: .8rem 0; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .36rem .8rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { max-width: 11rem; vertical-align: bottom; } td { white-space: nowrap; }
td small { color: var(--soft); display: block; }
th:first-child, .scroll td:first-child { text-align: left; padding-left: 0; white-space: normal; min-width: 7.5rem; max-width: 15rem; }
thead th { border-bottom: 2px solid var(--ink); } tbody tr.strong td { font-weight: 600; border-top: 2px solid var(--ink); }
.scroll { overflow-x: auto; margin: .8rem 0; background: /* a shadow at a side where more is hidden; the paper over it at the ends */
  linear-gradient(90deg, var(--paper) 30%, transparent) 0 0 / 3rem 100%,
  linear-gradient(270deg, var(--paper) 30%, transparent) 100% 0 / 3rem 100%,
  linear-gradient(90deg, var(--shade), transparent) 0 0 / 1rem 100%,
  linear-gradient(270deg, var(--shade), transparent) 100% 0 / 1rem 100%;
  background-repeat: no-repeat; background-attachment: local, local, scroll, scroll; background-color: var(--paper); }
.scroll:focus-visible { outline: 2px solid var(--blue); outline-offset: 2px; } .scroll table { margin: 0; }
.scroll th:first-child, .scroll td:first-child { position: sticky; left: 0; background: var(--paper); box-shadow: 1px 0 0 var(--line); }
@media (max-width: 560px) { .scroll th:first-child, .scroll td:first-child { min-width: 6rem; max-width: 8rem; }
  th, td { padding: .3rem .5rem; } }
table.facts { width: 100%; } table.facts td { text-align: left; white-space: normal; overflow-wrap: anywhere; }
table.facts td:first-child { color: var(--soft); padding-left: 0; width: 30%; min-width: 6rem; overflow-wrap: normal; }
figure { margin: 1rem 0; } figure img { width: 100%; height: auto; display: block; }
figcaption { color: var(--soft); font-size: .88rem; margin-top: .3rem; max-width: 46rem; }
dt { font-weight: 600; margin-top: .6rem; } dd { margin: 0; color: var(--soft); max-width: 46rem; }
code { font: .85rem/1.4 ui-monospace, Menlo, Consolas, monospace; background: var(--wash); padding: .1rem .3rem; overflow-wrap: anywhere; }
@media (max-width: 560px) { main { padding: 20px 14px 40px; } }
@media print {
  body { background: white; } main { padding: 0; max-width: none; } figure, tr { break-inside: avoid; }
  .scroll { overflow: visible; background: none; } .scroll table { width: 100%; font-size: .7rem; } th, td { padding: .25rem .35rem; }
  .scroll th, .scroll td { position: static; white-space: normal; overflow-wrap: anywhere; min-width: 0; }
}
"""


# Controls, halves of surrogate pairs, and what turns the direction of the text around it.
_NO_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


def escape(text: str, *, quote: bool = True) -> str:
    """Text from outside as HTML; characters that a page cannot hold, or that turn the text around them, become U+FFFD."""
    return html.escape(_NO_CHARACTERS.sub("\ufffd", text), quote=quote)


def page(title: str, sections: Iterable[str]) -> str:
    """A whole document."""
    body = "\n".join(sections)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{CSS}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def heading(text: str) -> str:
    """A section's heading."""
    return f"<h2>{escape(text)}</h2>"


def paragraph(text: str, *, soft: bool = False) -> str:
    """A paragraph."""
    return f'<p class="soft">{escape(text)}</p>' if soft else f"<p>{escape(text)}</p>"


def box(lines: Sequence[str], *, warn: bool = False) -> str:
    """Sentences that stand out; nothing without any."""
    if not lines:
        return ""
    inside = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return f'<div class="box{" warn" if warn else ""}">{inside}</div>'


def table(
    label: str, head: Sequence[str], rows: Iterable[Sequence[tuple[str, str]]], *, strong_last: bool = False
) -> str:
    """A table of figures; a cell is (text, small print). Where it is wider than the page it scrolls, by keyboard too, under `label`."""
    rows = list(rows)
    top = "".join(f'<th scope="col"><bdi>{_breakable(name)}</bdi></th>' for name in head)
    lines = []
    for k, row in enumerate(rows):
        opening = '<tr class="strong">' if strong_last and k == len(rows) - 1 else "<tr>"
        lines.append(f"{opening}{''.join(_cell(*cell) for cell in row)}</tr>")
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(label, quote=True)}">'
        f"<table><thead><tr>{top}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _breakable(name: str) -> str:
    """A name that may go on in the next line after an underscore."""
    return escape(name).replace("_", "_<wbr>")


def _cell(text: str, fine: str) -> str:
    return f"<td>{escape(text)} <small>{escape(fine)}</small></td>" if fine else f"<td>{escape(text)}</td>"


def facts(pairs: Iterable[tuple[str, str]], *, code: bool = False) -> str:
    """Names and what they are, in two columns."""

    def cell(text: str) -> str:
        return f"<code>{escape(text)}</code>" if code else escape(text)

    rows = "".join(f"<tr><td>{escape(name)}</td><td>{cell(text)}</td></tr>" for name, text in pairs)
    return f'<table class="facts"><tbody>{rows}</tbody></table>'


def image(png: bytes, caption: str) -> str:
    """A PNG inside the page."""
    data = base64.b64encode(png).decode()
    alt = escape(caption, quote=True)
    return f'<figure><img alt="{alt}" src="data:image/png;base64,{data}"><figcaption>{escape(caption)}</figcaption></figure>'


def glossary(words: dict[str, str]) -> str:
    """Words and their meanings."""
    return "<dl>" + "".join(f"<dt>{escape(word)}</dt><dd>{escape(text)}</dd>" for word, text in words.items()) + "</dl>"
