"""Cells that spreadsheets show as text and never run as a formula."""

import re

# OWASP, "CSV Injection"; the full-width signs are what Japanese spreadsheets take for the same.
_STARTS_A_FORMULA = re.compile(r"[\s\0]*[=+\-@＝＋－＠|%]")


def cell(value: object) -> object:
    """A text that could be a formula gets an apostrophe before it; numbers stay numbers."""
    if isinstance(value, str) and (_STARTS_A_FORMULA.match(value) or value[:1] in {"\t", "\r", "\n"}):
        return f"'{value}"
    return value
