"""Schemas: every file with one is refused when a later kexport wrote it, and opens when an earlier one did."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import REFERENCE
from kexport.bundle import counterexamples, manifest, report, witnesses
from kexport.bundle.contract_entries import ContractEntry
from kexport.bundle.folder import REPORT_NAME, Bundle
from kexport.bundle.goldens import Golden
from kexport.bundle.json_files import items, mapping, number, require_schema, write_json
from kexport.bundle.samples import SamplesEntry
from kexport.bundle.signature import Signature, TensorSpec
from kexport.errors import BundleError
from onnx_faults import light

SIGNATURE = Signature((TensorSpec("x", "float32", (None, 2)),), (TensorSpec("y", "float32", (None,)),))
FEEDS = {"x": np.array([[1, 2]], "float32")}
SAMPLES: dict[str, Any] = {
    "path": "samples.npz",
    "sha256": "0",
    "rows": {"x": {"check": 1, "calibration": 1, "shared": True}},
}
NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def with_schema(path, schema, name_of):
    """The file with another schema in its `about`, under the name that fits its content."""
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored}
    about = json.loads(str(arrays.pop("about")))
    np.savez(path, about=np.array(json.dumps({**about, "schema": schema})), **arrays)
    return path.rename(path.with_name(name_of(path.read_bytes())))


def read_witness(folder, schema):
    golden = Golden("random", FEEDS, {"y": np.array([3.0])})
    path = folder / witnesses.store(folder, witnesses.Witness(golden, "truth", {"y": 1e-6}, {"y": 4.0}))
    witnesses.read(with_schema(path, schema, witnesses.name_of), SIGNATURE)


def read_counterexample(folder, schema):
    path = folder / counterexamples.store(folder, ContractEntry("bounded", {"low": 0.0}, (), ("y",)), FEEDS)
    counterexamples.read(with_schema(path, schema, lambda content: witnesses.name_of(content, "contract-")), SIGNATURE)


def read_samples(folder, schema):
    SamplesEntry.from_json({**SAMPLES, "schema": schema})


def read_report(folder, schema):
    edited(folder, REPORT_NAME, schema).report.passed  # noqa: B018  reading it is the point


def read_manifest(folder, schema):
    edited(folder, manifest.FILE_NAME, schema)


def edited(folder, name, schema):
    bundle = light(REFERENCE / "lowpass", folder / "bundle")
    content = json.loads((bundle / name).read_text())
    (bundle / name).write_text(json.dumps({**content, "schema": schema}))
    return Bundle.open(bundle)


READERS = [read_witness, read_counterexample, read_samples, read_report, read_manifest]


@pytest.mark.parametrize("read", READERS)
def test_a_file_of_a_newer_schema_is_refused_and_the_remedy_named(tmp_path, read):
    newest = {read_report: report.SCHEMA, read_manifest: manifest.SCHEMA}.get(read, 1)
    with pytest.raises(BundleError, match="newer schema than this kexport reads") as refused:
        read(tmp_path, newest + 1)
    assert f"got:      {newest + 1}\n" in str(refused.value)
    assert f"expected: at most {newest}\n" in str(refused.value)
    assert "hint:     pip install --upgrade kexport" in str(refused.value)


@pytest.mark.parametrize("read", READERS)
def test_a_file_of_this_schema_opens(tmp_path, read):
    read(tmp_path, 1)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("schema", [0, -1, "1", 1.0, True, None])
def test_what_is_not_a_whole_number_is_no_schema(tmp_path, read, schema):
    with pytest.raises(BundleError, match="has no schema"):
        read(tmp_path, schema)


def test_an_older_schema_opens_and_one_that_is_absent_only_where_it_has_a_meaning():
    assert require_schema("it", {"schema": 1}, 3) == {"schema": 1}
    assert SamplesEntry.from_json(SAMPLES).rows["x"].count == 1
    for data in ({}, [], None, "text"):
        with pytest.raises(BundleError, match="it has no schema"):
            require_schema("it", data, 3)


@pytest.mark.parametrize(
    ("read", "value"),
    [(number, "1"), (number, True), (mapping, []), (items, {}), (items, "text")],
    ids=["text", "flag", "list", "mapping", "characters"],
)
def test_a_value_of_another_type_is_a_type_error(read, value):
    with pytest.raises(TypeError):
        read(value)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NESTED)
def test_what_is_written_is_read_back(tmp_path, data):
    path = tmp_path / "a.json"
    write_json(path, data)
    assert json.loads(path.read_text(encoding="utf-8")) == data


def test_a_list_of_numbers_takes_one_line(tmp_path):
    write_json(tmp_path / "a.json", {"a": [1, -2.5, 1e-7], "b": ["1", "[\n1,\n2\n]"], "c": [[1], []]})
    assert '"a": [1, -2.5, 1e-07]' in (tmp_path / "a.json").read_text().splitlines()[1]
    assert json.loads((tmp_path / "a.json").read_text())["b"] == ["1", "[\n1,\n2\n]"]
