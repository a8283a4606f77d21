"""Tables in text: at every width verdicts, figures and limits are whole, and what is left out is the least telling."""

import re

import pytest

from kexport.reports._table import VERDICT, TextColumn, table
from kexport.screen_text import listing, screen_width, wrapped

COLUMNS = (
    VERDICT,
    TextColumn("artifact"),
    TextColumn("error", True),
    TextColumn("limit", True),
    TextColumn("size", True, 2),
    TextColumn("floor", True, 1),
)
ROWS = (
    ("pass", "model.onnx", "3.3e-08", "4.8e-07", "1.2 kB", "-"),
    ("FAIL", "a_longer_name.tflite", "2.9e-03", "4.8e-07", "12.3 kB", "-"),
    ("not checked", "saved_model", "-", "-", "-", "-"),
)


@pytest.mark.parametrize("width", range(24, 130))
def test_at_every_width_each_verdict_figure_and_limit_is_whole_and_no_line_is_too_long(width):
    lines = table(COLUMNS, ROWS, width).text
    assert max(map(len, lines)) <= width
    assert all(line == line.rstrip() for line in lines)
    said = "\n".join(lines)
    for row in ROWS:
        for cell in row[:4]:
            assert cell == "-" or re.search(rf"(^|\s){re.escape(cell)}($|[\s,])", said, re.MULTILINE), (cell, said)
    starts = [line for line in lines if line.startswith(("pass", "FAIL", "not checked"))]
    assert len(starts) == len(ROWS), "the verdict comes first"


def test_columns_that_hold_nothing_go_first_then_the_most_spare_and_then_rows_are_stacked():
    def titles(width):
        return table(COLUMNS, ROWS, width).header.split()

    assert titles(80) == ["verdict", "artifact", "error", "limit", "size", "floor"]
    assert titles(66) == ["verdict", "artifact", "error", "limit", "size"], "floor is less spare, but empty"
    assert titles(55) == ["verdict", "artifact", "error", "limit"]
    assert titles(50) == []
    assert table(COLUMNS, ROWS, 50).text[:2] == ["pass  model.onnx", "    error 3.3e-08, limit 4.8e-07, size 1.2 kB"]


@pytest.mark.parametrize("width", range(20, 60))
def test_a_figure_stays_with_its_unit_and_a_long_word_stays_whole(width):
    path = "/a/folder/with/a/name/that/is/longer/than/any/of/the/lines/model.onnx"
    lines = wrapped(f"after 500 evaluations it kept 12.3 kB at 40 dB, 3 % of it, in {path}", width, "  ")
    assert all(line.startswith("  ") and line == line.rstrip() for line in lines)
    for whole in ("500 evaluations", "12.3 kB", "40 dB", "3 %", path):
        assert any(whole in line for line in lines)
    assert max(len(line) for line in lines if path not in line) <= width


def test_names_and_texts_stand_side_by_side_or_one_below_the_other():
    rows = [("signal", "float32 (?, ?) in uniform(-5, 5)"), ("", "goes on")]
    assert listing(rows, 80) == [f"  {'signal':<16}  float32 (?, ?) in uniform(-5, 5)", " " * 20 + "goes on"]
    assert listing(rows, 30) == ["  signal", "    float32 (?, ?) in", "    uniform(-5, 5)", "    goes on"]


def test_the_width_is_that_of_columns_else_of_the_terminal_else_of_plain_text(monkeypatch, tmp_path):
    with (tmp_path / "out.txt").open("w") as stream:
        for stated, width in (("60", 60), ("", 120), ("many", 120), ("0", 120), ("3", 20)):
            monkeypatch.setenv("COLUMNS", stated)
            assert screen_width(stream) == width
