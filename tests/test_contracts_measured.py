"""The page of promises is true: it has a row for every case, and no row of it tells of what must not be."""

import json

import numpy as np
import pytest

import contract_cases
from conftest import ROOT
from contract_cases import _effect, _page

TABLE = json.loads((ROOT / "docs" / "contracts_measured.json").read_text())
KINDS = {path.stem for path in (ROOT / "exporter" / "kexport" / "contracts").glob("[a-z]*.py")}
REGULARISERS = {"high_frequency_energy"}
LAYERS = {path.stem for path in (ROOT / "layers" / "kexport_layers").glob("[a-z]*.py")} - REGULARISERS


def test_there_are_breaks_of_every_kind_of_contract():
    breaks = contract_cases.every()
    assert len(breaks) >= 45
    assert {case.kind for case in breaks} == KINDS


def test_the_table_has_every_break_and_none_that_is_no_more():
    assert sorted(TABLE["breaks"]) == sorted(case.name for case in contract_cases.every())


def test_enough_healthy_configurations_were_checked():
    assert len(TABLE["healthy"]) >= _page.CONFIGURATIONS


def test_every_layer_is_checked_and_timed():
    checked = {layer for record in TABLE["healthy"].values() for layer in record["layers"]}
    timed = {name.partition(" ")[0] for name in TABLE["latency"]}
    assert checked >= LAYERS
    assert timed >= LAYERS


def test_nothing_is_missed_and_nothing_healthy_is_called_broken():
    assert list(_page.bad(TABLE)) == []


def test_the_page_is_made_of_the_table():
    assert (ROOT / "docs" / "contracts_measured.md").read_text() == _page.page(TABLE)


def test_a_break_of_less_than_four_slacks_is_refused(monkeypatch):
    monkeypatch.setitem(_effect._STATEMENTS, "scaled", lambda *_: (np.array([3.9]), np.array([1.0])))
    case = contract_cases.get("scaled/off by one part in 10^4")
    with pytest.raises(AssertionError, match="no break"):
        _effect.effect(case, None, None, None)


def test_a_missed_break_and_an_alarm_are_told():
    missed = {"otherwise": [], "rejected": True, "found": {"litert": [{"found": True}, {"found": False}]}}
    alarm = {"promises": ["scaled"], "alarms": ["litert contract"], "runtimes": dict.fromkeys(_page.RUNTIMES, [1] * 4)}
    told = list(_page.bad({"breaks": {"a": missed}, "healthy": {"b": alarm}}))
    assert told == ["a: missed in litert, seeds [1]", "b: litert contract"]
