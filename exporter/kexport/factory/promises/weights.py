"""Contracts about weights: checked at build time, on the Keras model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

import numpy as np

from kexport.bundle.contract_entries import ContractEntry
from kexport.bundle.report import Check, CheckKind, Measurement, Subject
from kexport.contracts import WeightContract, kinds
from kexport.errors import UsageError
from kexport.factory.promises.statements import Statement
from kexport.factory.trace import Program, paths


class _Weight(Protocol):
    path: str
    value: object


class _WeightedLayer(Protocol):
    weights: Sequence[_Weight]


def check_weights(program: Program, stated: Sequence[Statement]) -> list[tuple[ContractEntry, Check]]:
    """The contracts about weights that layers and a person state, each with its check.

    Raises:
        UsageError: a person's contract names no layer of the model.
    """
    layers = {} if program.served else {path: layer for layer, path in paths(program.model)}
    wanted: list[tuple[str, WeightContract]] = []
    for path, layer in layers.items():
        contracts = getattr(layer, "contracts", None)
        if callable(contracts):
            wanted += [(path, each) for each in contracts() if isinstance(each, WeightContract)]
    for each in stated:
        if isinstance(each.contract, WeightContract):
            if each.about not in layers:
                raise UsageError(
                    f"contract {kinds.text(each.contract)} is about the weights of a layer that does not exist",
                    got=each.about or "no layer",
                    expected=", ".join(layers) or "a model with layers",
                    hint=f"write LAYER={kinds.text(each.contract)}",
                )
            wanted.append((each.about, each.contract))
    return [_checked(path, cast(_WeightedLayer, layers[path]), contract) for path, contract in wanted]


def _checked(path: str, layer: _WeightedLayer, contract: WeightContract) -> tuple[ContractEntry, Check]:
    values = {weight.path.rpartition("/")[2]: np.asarray(weight.value) for weight in layer.weights}
    verdict = contract.check_weights(values)
    about = f"about the weights of layer {path}, checked on the Keras model"
    check = Check(
        CheckKind.CONTRACT,
        verdict.passed,
        Subject(contract=kinds.text(contract)),
        Measurement(verdict.figure, verdict.limit, verdict.unit),
        (about, *verdict.facts),
        verdict.ran,
        verdict.metrics,
    )
    return kinds.entry_of(contract, (), (), path), check
