"""The page of faults of small precisions is true: a row for every case, and no row of what must not be."""

import json

import precision_fault_cases
from conftest import ROOT
from precision_fault_cases import _page

TABLE = json.loads((ROOT / "docs" / "precision_faults.json").read_text())
FAULTS = [fault for family in precision_fault_cases.every() for fault in family.faults]


def test_there_are_faults_of_many_kinds_in_every_precision():
    assert len({fault.kind for fault in FAULTS}) >= 20
    assert {fault.artifact.partition(".")[0] for fault in FAULTS} == {"float16", "dynamic", "int8", "int16x8"}
    assert len(precision_fault_cases.every()) >= 5


def test_the_table_has_every_fault_and_none_that_is_no_more():
    assert sorted(TABLE["faults"]) == sorted(fault.name for fault in FAULTS)


def test_every_fault_is_found_and_nothing_healthy_is_called_faulty():
    assert list(_page.bad(TABLE)) == []
    models = {name.partition(",")[0] for name in TABLE["healthy"]}
    assert models == {family.name for family in precision_fault_cases.every()}


def test_the_page_is_made_of_the_table():
    assert (ROOT / "docs" / "precision_faults.md").read_text() == _page.page(TABLE)


def test_what_is_missed_and_false_alarms_are_told_by_name():
    nothing = {way: {"found": False} for way in ("build", "goldens", "kernels", "search")}
    missed = {**nothing, "healthy_db": 40.0, "faulty_db": 30.0}
    healthy = {"alarms": ["model.int8.onnx: far"], "not_run": []}
    table = {"faults": {"a/one": missed, "a/two": {**missed, "build": {"found": True}}}, "healthy": {"b": healthy}}
    assert [line.split(":")[0] for line in _page.bad(table)] == ["a/one is missed", "healthy b"]
