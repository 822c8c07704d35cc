"""Text from outside on its way to a terminal, a page or a table: what cannot be printed is written as escapes."""


def printable(text: str, most: int = 2000) -> str:
    """One line of at most `most` characters: line ends, control characters and the like as `\\n`, `\\x1b`; a long middle left out."""
    if len(text) > most:
        tail = most // 3
        text = f"{text[: most - tail - 3]}...{text[-tail:]}"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def cell(text: str) -> str:
    """Text for a cell of a Markdown table."""
    return printable(text).replace("|", "\\|")
