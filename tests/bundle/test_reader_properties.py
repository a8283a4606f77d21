"""Properties of every reader: what is written is read back; anything else gives a value or a KexportError."""

import json
import math
import string
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from conftest import REFERENCE
from kexport.bundle import (
    Bundle,
    Check,
    CheckKind,
    Golden,
    Measurement,
    OutputLimit,
    Report,
    Samples,
    Signature,
    Subject,
    TensorSpec,
    Witness,
    counterexamples,
    data_files,
    goldens,
    manifest,
    npz,
    samples,
    witnesses,
)
from kexport.bundle.adequacy_entry import AdequacyEntry, Standing, Unseen
from kexport.bundle.archives import Archive
from kexport.bundle.code_entry import CodeEntry, CodeKind
from kexport.bundle.contract_entries import ContractEntry, NotCarried
from kexport.bundle.domain import parse
from kexport.bundle.facts import CodedFact, FactCode
from kexport.bundle.json_files import write_json
from kexport.errors import KexportError, UsageError

#: The same examples each time, without a record of them beside the tests. A test's folder serves all its examples.
quickly = settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

names = st.text(string.ascii_letters + string.digits + "_", min_size=1, max_size=8)
texts = st.text(max_size=20)
finite = st.floats(allow_nan=False, allow_infinity=False)
numbers = st.integers() | finite
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
#: Texts that are JSON to a parser, or nearly, and that no writer of ours makes.
oddities = st.sampled_from(
    [
        "1e999",
        "1" + "0" * 5000,
        "NaN",
        '"\\ud800"',
        "[" * 5000 + "]" * 5000,
        '{"a":' * 5000 + "1" + "}" * 5000,
        "-",
        "\ufeff{}",
        '{"schema": 1}',
    ]
)
json_texts = values.map(json.dumps) | oddities
dtypes = st.sampled_from(["float32", "float64", "int32", "int8", "uint8", "bool", "string", "bfloat16", "complex64"])
specs = st.builds(TensorSpec, names, dtypes, st.lists(st.none() | st.integers(1, 9), max_size=4).map(tuple))


def specs_of(most):
    return st.lists(specs, min_size=1, max_size=most, unique_by=lambda spec: spec.name).map(tuple)


signatures = st.builds(Signature, specs_of(3), specs_of(3))


def held(spec, rows):
    """Arrays that an input or output with this spec may hold."""
    shape = tuple(rows if size is None else size for size in spec.shape)
    dtype = spec.numpy_dtype
    return arrays_of.arrays(np.dtype("<U5") if dtype.kind == "U" else dtype, shape)


# Round trips -----------------------------------------------------------------------------------------------------


def through_json(data):
    return json.loads(json.dumps(data, allow_nan=False))


@quickly
@given(signatures)
def test_a_signature_is_read_back(signature):
    assert Signature.from_json(through_json(signature.to_json())) == signature


ordered = st.tuples(finite, finite).filter(lambda pair: pair[0] < pair[1] and math.isfinite(pair[1] - pair[0]))
domain_texts = (
    ordered.map(lambda pair: f"uniform({pair[0]}, {pair[1]})")
    | st.tuples(st.integers(-(2**40), 2**40), st.integers(0, 1000)).map(lambda p: f"ints({p[0]}, {p[0] + p[1]})")
    | st.tuples(finite, st.floats(1e-300, 1e300)).map(lambda p: f"normal({p[0]}, {p[1]})")
    | st.lists(finite, min_size=1, max_size=5, unique=True).map(lambda v: f"choice({', '.join(map(str, v))})")
)


@quickly
@given(domain_texts)
def test_a_domain_is_read_back(text):
    try:
        domain = parse(text)
    except UsageError:
        return  # out of range, or with equal ends
    assert str(parse(str(domain))) == str(domain)


subjects = st.builds(Subject, *[st.none() | texts] * 4)
facts = texts.filter(bool) | st.builds(CodedFact, st.sampled_from(FactCode), texts)
measurements = st.builds(Measurement, st.none() | finite, st.none() | finite, st.none() | texts)
checks = st.builds(
    Check, st.sampled_from(CheckKind), st.booleans(), subjects, measurements, st.lists(facts, max_size=3).map(tuple),
    st.booleans(), st.dictionaries(names, finite, max_size=3),
)  # fmt: skip


@quickly
@given(st.builds(Report, names, st.lists(checks, max_size=4).map(tuple), st.lists(texts, max_size=3).map(tuple)))
def test_a_report_is_read_back(report):
    assert Report.from_json(through_json(report.to_json())) == report


limits = st.builds(OutputLimit, names, finite, finite, finite, names, texts, st.none() | finite)
codes = st.builds(CodeEntry, names, st.sampled_from(CodeKind), names, names, names, names, names)
unseen = st.builds(Unseen, texts, st.sampled_from(Standing), texts)
adequacies = st.builds(
    AdequacyEntry, st.integers(0, 99), st.integers(0, 99), st.lists(unseen, max_size=3).map(tuple),
    st.dictionaries(names, texts, max_size=2), st.lists(texts, max_size=2).map(tuple),
)  # fmt: skip
not_carried = st.builds(NotCarried, names, st.dictionaries(names, finite, max_size=2), names, names, texts)


@quickly
@given(limits | codes | adequacies | not_carried)
def test_an_entry_of_a_manifest_is_read_back(entry):
    assert type(entry).from_json(through_json(entry.to_json())) == entry


@quickly
@given(signatures, st.data())
def test_a_contract_is_read_back(signature, data):
    params = data.draw(st.dictionaries(names, finite | st.booleans() | texts, max_size=3))
    inputs, outputs = (tuple(spec.name for spec in specs) for specs in (signature.inputs, signature.outputs))
    entry = ContractEntry(data.draw(names), params, inputs, outputs, data.draw(texts))
    assert ContractEntry.from_json(through_json(entry.to_json()), signature) == entry


@quickly
@given(st.sampled_from(["lowpass", "regularized", "scaled"]), st.data())
def test_a_manifest_is_read_back(tmp_path, name, data):
    read = manifest.read(REFERENCE / name)
    code, stateful = tuple(data.draw(st.lists(codes, max_size=2))), data.draw(st.booleans())
    model = replace(read.model, code=code, stateful=stateful)
    read = replace(read, name=data.draw(names), model=model, adequacy=data.draw(st.none() | adequacies))
    manifest.write(tmp_path, read)
    assert manifest.read(tmp_path) == read


named_arrays = st.dictionaries(
    names,
    arrays_of.arrays(
        arrays_of.floating_dtypes()
        | arrays_of.integer_dtypes()
        | arrays_of.boolean_dtypes()
        | arrays_of.complex_number_dtypes(),
        arrays_of.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
    ),
    max_size=4,
)


@quickly
@given(named_arrays)
def test_arrays_are_read_back(tmp_path, stored):
    npz.write(tmp_path / "a.npz", stored)
    found = npz.NpzArrays(Archive(tmp_path / "a.npz"))
    assert set(found) == set(stored)
    for name, array in stored.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def a_golden(signature, data):
    inputs = {spec.name: data.draw(held(spec, 2)) for spec in signature.inputs}
    truth = {}
    for spec in signature.outputs:
        kind = spec.numpy_dtype.kind
        dtype = {"f": "float64", "c": "complex128", "U": "<U5"}.get(kind, spec.numpy_dtype)
        truth[spec.name] = data.draw(arrays_of.arrays(np.dtype(dtype), (2, 3)))
    return Golden(data.draw(names), inputs, truth)


def same(one, other):
    assert set(one) == set(other)
    for name in one:
        assert one[name].dtype == other[name].dtype
        np.testing.assert_array_equal(one[name], other[name])


@quickly
@given(signatures, st.data())
def test_goldens_are_read_back(tmp_path, signature, data):
    golden = a_golden(signature, data)
    goldens.write(tmp_path / "goldens.npz", [golden, golden])
    for found in goldens.stream(tmp_path / "goldens.npz", signature, [golden.label] * 2):
        assert found.label == golden.label
        same(found.inputs, golden.inputs)
        same(found.truth, golden.truth)


@quickly
@given(signatures, st.data())
def test_a_witness_is_read_back(tmp_path, signature, data):
    by_output = {spec.name: data.draw(finite) for spec in signature.outputs}
    golden = a_golden(signature, data)
    before = [golden.inputs] * data.draw(st.integers(0, 2))
    path = tmp_path / witnesses.store(tmp_path, Witness(golden, data.draw(names), by_output, by_output, before, "d"))
    found = witnesses.read(path, signature)
    same(found.golden.inputs, golden.inputs)
    same(found.golden.truth, golden.truth)
    assert (found.limits, len(found.before), found.digest) == (by_output, len(before), "d")


ONE = Signature((TensorSpec("x", "float32", (None, None)),), (TensorSpec("y", "float32", (None, None)),))


@quickly
@given(
    arrays_of.arrays(
        "float32",
        st.tuples(st.integers(1, 60), st.integers(1, 4)),
        elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
    )
)
def test_recorded_data_is_read_back(tmp_path, recorded):
    entry = samples.write(tmp_path, ONE, {"x": Samples(recorded)})
    entry = type(entry).from_json(through_json(entry.to_json()))
    np.testing.assert_array_equal(samples.restored(tmp_path / entry.path, entry, ONE)["x"].values, recorded)


@quickly
@given(
    arrays_of.arrays(
        "float32",
        st.tuples(st.integers(1, 6), st.integers(2, 4)),
        elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
    )
)
@pytest.mark.parametrize("suffix", ["csv", "npy", "npz"])
def test_a_data_file_is_read_back(tmp_path, suffix, recorded):
    path = tmp_path / f"a.{suffix}"
    data_files.writer_for(str(path), ONE)({"x": recorded}, None)
    np.testing.assert_array_equal(data_files.read(path, ONE)["x"], recorded)


# Anything at all -------------------------------------------------------------------------------------------------


def gives_a_value_or_says_so(read, *arguments):
    try:
        read(*arguments)
    except KexportError as error:
        str(error).encode()  # it can be shown


@quickly
@given(st.text(max_size=60) | oddities)
@example("uniform(0, 1" + "0" * 5000 + ")")
@example("features(" * 300 + ")" * 300)
@example("choice(" + "-" * 3000 + "1)")
@example("ints(0, 1e308)")
def test_any_text_is_a_domain_or_none(text):
    gives_a_value_or_says_so(parse, text)


@quickly
@given(json_texts | st.binary(max_size=60))
def test_any_manifest_is_read_or_refused(tmp_path, content):
    (tmp_path / "manifest.json").write_bytes(
        content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    )
    gives_a_value_or_says_so(manifest.read, tmp_path)


def places(value, path=()):
    yield path
    for key, each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(each, (*path, key))


def with_another_value(original, data):
    """A JSON text that is right but for one value."""
    path = data.draw(st.sampled_from([path for path in places(original) if path]))
    changed = json.loads(json.dumps(original))
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = "\ue000"
    return json.dumps(changed).replace(json.dumps("\ue000"), data.draw(json_texts))


@settings(quickly, max_examples=300)
@given(st.data())
def test_a_manifest_with_another_value_is_read_or_refused(reference, data):
    original = json.loads((REFERENCE / "lowpass" / "manifest.json").read_text())
    (reference / "manifest.json").write_bytes(with_another_value(original, data).encode("utf-8", "surrogatepass"))

    def read():
        bundle = Bundle.open(reference)
        for artifact in bundle.manifest.artifacts:
            bundle.checked_path(artifact)
        list(bundle.goldens())
        bundle.domains()
        json.dumps(bundle.manifest.to_json())

    gives_a_value_or_says_so(read)


@settings(quickly, max_examples=200)
@given(st.data())
def test_a_report_with_another_value_is_read_or_refused(reference, data):
    original = json.loads((REFERENCE / "lowpass" / "report.json").read_text())
    text = data.draw(json_texts) if data.draw(st.booleans()) else with_another_value(original, data)
    (reference / "report.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    gives_a_value_or_says_so(lambda: Bundle.open(reference).report)


def damaged(original, data):
    """Bytes like these, or any."""
    if data.draw(st.integers(0, 3)) == 0:
        return data.draw(st.binary(max_size=100))
    place = data.draw(st.integers(0, len(original) - 1))
    length = data.draw(st.sampled_from([0, 1, 4, 100, len(original)]))
    return original[:place] + data.draw(st.binary(max_size=8)) + original[place + length :]


@settings(quickly, max_examples=200)
@given(st.data())
def test_damaged_arrays_are_read_or_refused(tmp_path, data):
    bundle = Bundle.open(REFERENCE / "lowpass")
    path = tmp_path / "goldens.npz"
    path.write_bytes(damaged((bundle.path / "goldens.npz").read_bytes(), data))
    gives_a_value_or_says_so(lambda: list(goldens.stream(path, bundle.signature, bundle.manifest.cases)))


@settings(quickly, max_examples=200)
@given(st.data())
def test_damaged_witnesses_are_read_or_refused(tmp_path, data):
    signature = Bundle.open(REFERENCE / "lowpass").signature
    golden = next(iter(Bundle.open(REFERENCE / "lowpass").goldens()))
    kept = tmp_path / witnesses.store(tmp_path, Witness(golden, "truth", {"filtered": 1.0}, {"filtered": 1.0}))
    content = damaged(kept.read_bytes(), data)
    for module, prefix in ((witnesses, ""), (counterexamples, "contract-")):
        path = tmp_path / witnesses.place(tmp_path, content, prefix)
        gives_a_value_or_says_so(module.read, path, signature)


@settings(quickly, max_examples=150)
@given(st.data())
def test_damaged_recorded_data_is_read_or_refused(tmp_path, data):
    entry = samples.write(tmp_path, ONE, {"x": Samples(np.arange(64, dtype="float32").reshape(32, 2))})
    path = tmp_path / entry.path
    path.write_bytes(damaged(path.read_bytes(), data))
    gives_a_value_or_says_so(samples.restored, path, entry, ONE)


@settings(quickly, max_examples=150)
@given(st.data())
@pytest.mark.parametrize("suffix", ["csv", "npy", "npz"])
def test_a_damaged_data_file_is_read_or_refused(tmp_path, suffix, data):
    path = tmp_path / f"a.{suffix}"
    data_files.writer_for(str(path), ONE)({"x": np.arange(6, dtype="float32").reshape(3, 2)}, None)
    content = (
        data.draw(st.text(max_size=60)).encode()
        if suffix == "csv" and data.draw(st.booleans())
        else damaged(path.read_bytes(), data)
    )
    path.write_bytes(content)

    def read():
        ONE.check(data_files.read(path, ONE))

    gives_a_value_or_says_so(read)


@quickly
@given(st.dictionaries(names, values, max_size=4))
def test_any_values_can_be_written_as_json_or_are_refused_as_values(tmp_path, data):
    path = Path(tmp_path / "a.json")
    try:
        write_json(path, data)
    except ValueError:
        return  # NaN or infinity
    assert json.loads(path.read_text()) == data
