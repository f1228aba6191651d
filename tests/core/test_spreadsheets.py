import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onboarding.core import spreadsheets


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "－1", "|x", "%0A=1", "\x00=1"]
)
def test_what_could_be_a_formula_is_shown_as_text(text):
    assert spreadsheets.cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["Kestrel", "arn:aws:iam::111122223333:role/x", "", "a=b", -12.5, 0, None])
def test_everything_else_stays_as_it_is(value):
    assert spreadsheets.cell(value) == value


@given(st.text())
def test_no_cell_begins_with_what_begins_a_formula(text):
    written = io.StringIO()
    csv.writer(written).writerow([spreadsheets.cell(text)])
    (row,) = csv.reader(io.StringIO(written.getvalue(), newline=""), strict=True) if text else (("",),)
    assert not row or not row[0].lstrip().startswith(("=", "+", "-", "@"))
