"""The page of faults is true: it has a row for every case, and no row of it tells of what must not be."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

import fault_cases
from conftest import REFERENCE, ROOT
from fault_cases import _page, _resaved
from fault_cases._effect import Meter
from fault_cases._family import Fault
from fault_cases._onnx_graph import OnnxGraph
from kexport import runtimes
from kexport.bundle.folder import Bundle

TABLE = json.loads((ROOT / "docs" / "faults.json").read_text())
FAULTS = [fault for family in fault_cases.every() for fault in family.faults]
ASKED = (
    "one weight off by 1e-3 of its size", "two channels swapped", "square kernel transposed", "bias dropped",
    "wrong batch-norm epsilon", "padding shifted by one", "relu6 become relu", "a clip removed",
    "softmax over the wrong axis", "last row of a gather off by one", "integer division of negatives",
    "overflow only above 88", "a NaN swallowed", "only the first sample of a batch computed",
    "a dynamic length ignored after the first call", "outputs swapped", "stale artifact of the previous build",
    "wrong dtype", "a unit that misfires on a part of its domain", "state leaking between calls",
)  # fmt: skip


def test_there_are_faults_of_every_kind_that_matters():
    kinds = {fault.kind for fault in FAULTS}
    assert len(FAULTS) >= 60
    assert len(fault_cases.every()) >= 12
    assert len(kinds) >= 20
    assert set(ASKED) <= kinds


def test_the_table_has_every_fault_and_none_that_is_no_more():
    assert sorted(TABLE["faults"]) == sorted(fault.name for fault in FAULTS)


def test_nothing_that_must_be_found_is_missed_and_nothing_healthy_is_called_faulty():
    assert list(_page.bad(TABLE)) == []


def test_the_page_is_made_of_the_table():
    assert (ROOT / "docs" / "faults.md").read_text() == _page.page(TABLE)


@pytest.fixture
def planted(reference):
    """`planted(change)`: a bundle whose ONNX filter has other taps, and the fault that this is."""

    def plant(change):
        def edit(graph):
            graph.change("Conv", "", 1, change)

        graph = OnnxGraph(reference / "model.onnx")
        edit(graph)
        graph.save()
        return Fault("lowpass", "other taps", "onnx", "filtered", edit=edit), Bundle.open(reference)

    return plant


def test_an_effect_is_measured_in_noise_floors(planted):
    fault, faulty = planted(lambda taps: 2 * taps)
    healthy = Bundle.open(REFERENCE / "lowpass")
    effect = Meter(healthy, 2000).effect(fault, faulty)
    (limit,) = healthy.manifest.limits
    # Of twice the signal the difference is the signal itself, whose largest magnitude is the scale.
    assert 0.999 < effect.corner * limit.limit / 4 / (5 / limit.scale) < 1.001
    assert effect.share == 1
    assert effect.must_be_found


def test_a_fault_without_an_effect_is_refused(planted):
    fault, same = planted(lambda taps: taps)
    with pytest.raises(AssertionError, match="no effect"):
        Meter(Bundle.open(REFERENCE / "lowpass"), 2000).effect(fault, same)


@pytest.mark.parametrize("name", ["lowpass", "regularized"])
@pytest.mark.parametrize(("runtime", "file"), [("onnxruntime", "model.onnx"), ("litert", "model.tflite")])
def test_a_file_saved_anew_is_another_one_that_computes_the_same(tmp_path, name, runtime, file):
    bundle = Bundle.open(REFERENCE / name)
    path = tmp_path / file
    shutil.copy(bundle.path / file, path)
    _resaved.resave(path, file.partition(".")[2], 1)
    assert path.read_bytes() != (bundle.path / file).read_bytes()
    feeds = dict(next(iter(bundle.goldens())).inputs)
    results = [runtimes.get(runtime).open(each, bundle.signature)(feeds) for each in (path, bundle.path / file)]
    for own, other in zip(results[0].values(), results[1].values(), strict=True):
        np.testing.assert_array_equal(own, other)


def test_what_is_missed_and_false_alarms_are_told_by_name():
    found = {"found": True}
    missed = {"effect": {"must_be_found": True}, "search": {"found": False, "told": "nothing"}}
    table = {
        "faults": {"a/one/onnx": missed, "a/two/onnx": {**missed, "search": found}},
        "healthy": {"a": {"0": [{"runtime": "litert", "kind": "search", "alarm": True, "ran": True, "told": "far"}]}},
        "resaved": {"b": {"3": ["litert parity: far"]}},
    }
    told = list(_page.bad(table))
    assert [line.split(":")[0] for line in told] == [
        "a/one/onnx must be found, and is missed",
        "healthy a, seed 0, litert search",
        "re-saved b, seed 3",
    ]


def test_names_of_variants_differ():
    fault = FAULTS[0]
    assert replace(fault, variant="other").name != fault.name
