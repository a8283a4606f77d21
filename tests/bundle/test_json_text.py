"""What the reader of JSON accepts, and what it says of the rest."""

import copy
import json

import pytest

from conftest import REFERENCE
from kexport.bundle.json_files import FieldError
from kexport.bundle.json_text import parse, read_json
from kexport.bundle.manifest import Manifest
from kexport.bundle.report import Report
from kexport.errors import BundleError


def refusal(content, **limits):
    with pytest.raises(BundleError, match="it cannot be read") as refused:
        parse(content, "it", **limits)
    return str(refused.value)


@pytest.mark.parametrize(
    "value", [{"a": [1, -1.5, True, None, "\u00e9\U0001f600"]}, [], "", -(2**63), 2**64 - 1, {"": {"": {}}}], ids=repr
)
def test_what_was_written_is_read(value):
    assert parse(json.dumps(value), "it") == value
    assert parse(json.dumps(value, ensure_ascii=False).encode(), "it") == value


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Expecting value"),
        (b"{", "Expecting"),
        (b"[1] 2", "Extra data"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (b'"\xff"', "UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "UTF-8"),
        (b'"\x00"', "control character"),
        (b'{"a": {"b": [0, 1e999]}}', "inf in a.b[1]"),
        (b'{"a": NaN}', "nan in a"),
        (b"[-Infinity]", "-inf in [0]"),
        (b'{"n": 1' + b"0" * 400 + b"}", "64 bits"),
        (b"[-9223372036854775809]", "64 bits"),
        (b"18446744073709551616", "64 bits"),
        (b"1" * 10_000, "64 bits"),
        (b'{"a": [{"b": 1, "c": 2, "b": 3}]}', "'b' occurs twice in a[0]"),
        (b'{"a": ["\\ud800"]}', "a[0]"),
        (b'{"a": {"\\udfff": 1}}', "in a"),
        (b"[" * 1000 + b"]" * 1000, "nested too deeply"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 200 + b"1" + b"}" * 200, "nested too deeply"),
        (b"[" + b"[]," * 1_100_000 + b"0]", "too many"),
        (b"[" + b"1," * 2_200_000 + b"0]", "too many"),
    ],
    ids=lambda value: value[:24] if isinstance(value, bytes) else "",
)
def test_what_cannot_be_kept_is_refused_in_words_and_by_its_place(content, words):
    assert words in refusal(content)


def test_a_text_may_have_a_certain_size_and_no_more():
    assert parse(b'"12"', "it", most=4) == "12"
    assert "at most 4" in refusal(b'"123"', most=4)


def test_a_number_need_not_be_finite_where_keras_wrote_it():
    assert parse(b'{"a": [Infinity, 1]}', "it", finite=False) == {"a": [float("inf"), 1]}


def test_a_file_that_cannot_be_opened_is_named(tmp_path):
    with pytest.raises(BundleError, match=r"the thing cannot be read\n  got: +is a folder"):
        read_json(tmp_path, "the thing")
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "none", "the thing")


def places(data, steps=()):
    """The places of all values below a value."""
    for key, value in data.items() if isinstance(data, dict) else enumerate(data):
        yield (*steps, key)
        if isinstance(value, dict | list):
            yield from places(value, (*steps, key))


def changed(data, steps, value):
    data = copy.deepcopy(data)
    holder = data
    for step in steps[:-1]:
        holder = holder[step]
    holder[steps[-1]] = value
    return data


def removed(data, steps):
    data = copy.deepcopy(data)
    holder = data
    for step in steps[:-1]:
        holder = holder[step]
    del holder[steps[-1]]
    return data


def fault_in(read, data):
    """What is wrong with an entry, in words; None where nothing is."""
    try:
        read(data)
    except FieldError as error:
        return str(error)
    except BundleError as error:
        return f"{error} (of {', '.join(data)})"
    return None


WRONG = [None, True, -1, 1.5, 10**18, "", "f4,,", [], [1], {}, {"a": 1}]


@pytest.mark.parametrize(("name", "read"), [("manifest.json", Manifest.from_json), ("report.json", Report.from_json)])
def test_whatever_is_wrong_in_a_file_is_named_by_its_place(name, read):
    content = json.loads((REFERENCE / "regularized" / name).read_text())
    refused = 0
    for steps in places(content):
        for other in [changed(content, steps, value) for value in WRONG] + [removed(content, steps)]:
            fault = fault_in(read, other)
            assert fault is None or any(key in fault for key in content)
            refused += fault is not None
    assert refused > 300


@pytest.mark.parametrize(
    ("steps", "value", "words"),
    [
        (("signature", "inputs", 0, "dtype"), "f4,,", "signature.inputs[0].dtype is 'f4,,'"),
        (("signature", "inputs", 0, "dtype"), "O", "signature.inputs[0].dtype"),
        (("signature", "inputs", 0, "dtype"), "<f4", "signature.inputs[0].dtype"),
        (("signature", "inputs", 0, "shape"), [2] * 33, "signature.inputs[0].shape"),
        (("signature", "inputs", 0, "shape"), [2**40, 2], "signature.inputs[0].shape"),
        (("signature", "inputs", 0, "shape", 1), -1, "signature.inputs[0].shape[1] is not a whole number"),
        (("artifacts", 0, "bytes"), 1.5, "artifacts[0].bytes is not a whole number"),
        (("artifacts", 0, "external"), 5, "artifacts[0].external is not a list"),
        (("artifacts", 0, "external"), [{"path": "a"}], "artifacts[0].external[0].sha256 is missing"),
        (("artifacts", 0, "pinned"), {"batch": "1"}, "artifacts[0].pinned.batch"),
        (("goldens", "ulp"), 1e300, "goldens.ulp"),
        (("goldens", "cases", 2), 7, "goldens.cases[2] is not text"),
    ],
)
def test_an_entry_of_the_manifest_is_named_by_its_place(steps, value, words):
    content = json.loads((REFERENCE / "lowpass" / "manifest.json").read_text())
    with pytest.raises(FieldError) as refused:
        Manifest.from_json(changed(content, steps, value))
    assert words in str(refused.value)


def test_two_inputs_of_one_name_are_refused():
    content = json.loads((REFERENCE / "lowpass" / "manifest.json").read_text())
    (spec,) = content["signature"]["inputs"]
    with pytest.raises(FieldError, match=r"signature.inputs\[1\].name"):
        Manifest.from_json(changed(content, ("signature", "inputs"), [spec, spec]))
