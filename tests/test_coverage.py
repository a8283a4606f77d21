"""The coverage page is true: it has a row for every case, and no row of it tells of what must not be."""

import json
from dataclasses import replace

import pytest

import coverage_cases
import export_coverage
from conftest import ROOT
from coverage_cases._case import Case

TABLE = json.loads((ROOT / "docs" / "coverage.json").read_text())["cases"]


def test_every_public_layer_has_a_case():
    from coverage_cases import layers

    assert layers.uncovered() == []


def test_every_public_operation_has_a_case():
    from coverage_cases import ops

    assert ops.uncovered() == []


@pytest.mark.parametrize("group", coverage_cases.GROUPS)
def test_the_table_has_every_case_and_none_that_is_no_more(group):
    assert sorted(TABLE[group]) == sorted(case.name for case in coverage_cases.every([group]))


def test_nothing_is_wrong_a_false_alarm_or_a_crash():
    bad = [
        f"{group} {name}, {form}: {text}"
        for group, rows in TABLE.items()
        for name, row in rows.items()
        for form, text in row.items()
        if text.startswith(("wrong", "false alarm", "crash"))
    ]
    assert bad == []


def test_cases_of_a_package_that_is_missing_are_told_and_neither_run_nor_counted(monkeypatch, capsys):
    case = Case("packages", "absent/Layer", lambda: pytest.fail("it was made"), {}, package="absent")
    monkeypatch.setattr(export_coverage, "chosen", lambda *arguments: [case, replace(case, name="absent/Other")])
    monkeypatch.setattr("sys.argv", ["export_coverage.py", "--groups", "packages"])
    assert export_coverage.missing([case]) == {"absent": 1}
    assert export_coverage.missing([replace(case, package="pytest")]) == {}
    ran = []

    def run(cases, jobs):
        ran.append(cases)
        return {}

    monkeypatch.setattr(export_coverage, "run", run)
    monkeypatch.setattr("forked.import_everything", lambda module: None)
    assert export_coverage.main() == 0
    assert ran == [[]]
    assert "not installed: absent, so 2 of its cases are not measured" in capsys.readouterr().out


def test_the_page_is_made_of_the_table():
    from coverage_cases._page import page

    table = json.loads((ROOT / "docs" / "coverage.json").read_text())
    assert (ROOT / "docs" / "coverage.md").read_text() == page(table["cases"], table["versions"])
