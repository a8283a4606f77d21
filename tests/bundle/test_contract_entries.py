"""Contracts in a manifest, and counterexamples beside it."""

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from kexport.bundle import counterexamples
from kexport.bundle.contract_entries import ContractEntry, NotCarried
from kexport.bundle.signature import Signature, TensorSpec
from kexport.errors import BundleError

SIGNATURE = Signature((TensorSpec("x", "float32", (None, 4)),), (TensorSpec("y", "float32", (None, 4)),))


def test_an_entry_about_something_that_the_model_does_not_have_is_damage():
    entry: dict[str, Any] = {"kind": "bounded", "params": {}, "inputs": [], "outputs": ["z"], "layer": ""}
    with pytest.raises(BundleError, match="does not have"):
        ContractEntry.from_json(entry, SIGNATURE)


def test_what_is_not_carried_goes_through_a_manifest():
    one = NotCarried("bounded", {"low": 0}, "a", "b", "because")
    assert NotCarried.from_json({**json.loads(json.dumps(one.to_json())), "later": 1}) == one


def test_what_broke_a_contract_is_read_back_and_damage_is_seen(tmp_path):
    promised = ContractEntry("bounded", {"low": 0.0}, (), ("y",), "layer")
    probe = {"x": np.ones((1, 4), "float32"), "x'": np.zeros((1, 4), "float32")}
    path = counterexamples.store(tmp_path, promised, probe)
    assert counterexamples.paths(tmp_path) == [path]
    about, found = counterexamples.read(tmp_path / path, SIGNATURE)
    assert about == promised
    assert all((found[name] == values).all() for name, values in probe.items())
    assert counterexamples.same(about, dataclasses.replace(promised, layer="other"))
    content = (tmp_path / path).read_bytes()
    (tmp_path / path).write_bytes(content[:-7])
    with pytest.raises(BundleError, match="damaged"):
        counterexamples.read(tmp_path / path, SIGNATURE)
