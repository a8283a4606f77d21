"""The contracts of a model: those of its layers that hold for the model, and those that a person states."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from kexport.bundle.contract_entries import ContractEntry, NotCarried
from kexport.bundle.report import Check
from kexport.bundle.signature import Signature
from kexport.contracts import About, Contract, WeightContract, kinds
from kexport.errors import ModelError, UsageError, located
from kexport.factory.promises.facts import Ledger, TensorFacts
from kexport.factory.promises.propagation import contract_in, is_graph, outputs_of
from kexport.factory.promises.statements import Statement, entry_for
from kexport.factory.promises.weights import check_weights
from kexport.factory.trace import Program, Served, paths
from kexport.factory.trace.protocols import BuiltModel

_NO_OUTPUT = "its result is not an output of the model"
_SUBCLASSED = "the calls inside a subclassed model cannot be seen"


@dataclass(frozen=True)
class Promises:
    """What is written into the manifest, and what was checked about weights.

    Attributes:
        contracts: those that hold for the model.
        not_carried: contracts of layers that are not known to hold for the model.
        checks: the checks of contracts about weights.
    """

    contracts: tuple[ContractEntry, ...]
    not_carried: tuple[NotCarried, ...]
    checks: tuple[Check, ...]


def collect(program: Program, stated: Sequence[Statement]) -> Promises:
    """The contracts of a traced model.

    Raises:
        UsageError: a person's contract is about something that the model does not have.
        ModelError: a layer's own `contracts` method fails.
    """
    signature = program.signature
    entries, not_carried = ([], []) if program.served else _of_layers(program)
    weights = check_weights(program, stated)
    entries += [entry for entry, _ in weights]
    entries += [entry_for(each, signature) for each in stated if not isinstance(each.contract, WeightContract)]
    return Promises(tuple(_distinct(entries)), tuple(not_carried), tuple(check for _, check in weights))


def _distinct(entries: Sequence[ContractEntry]) -> list[ContractEntry]:
    """Each contract once, whichever layers state it; contracts about weights are each layer's own."""
    distinct: dict[str, ContractEntry] = {}
    for each in entries:
        key = {**each.to_json(), "layer": "" if each.outputs else each.layer}
        distinct.setdefault(json.dumps(key, sort_keys=True), each)
    return list(distinct.values())


def _of_layers(program: Program) -> tuple[list[ContractEntry], list[NotCarried]]:
    """The contracts of the layers that hold for the model, and those that do not."""
    model, ledger = program.model, Ledger()
    entries: list[ContractEntry] = []
    carried: frozenset[int] = frozenset()
    try:
        contracts = getattr(model, "contracts", None)
        if callable(contracts):
            stated = [each for each in contracts() if not isinstance(each, WeightContract)]
            entries = [_of_model(each, model.name, program.signature) for each in stated]
        if is_graph(model) and program.interface.tensors:
            facts = outputs_of(model, [spec.name for spec in program.signature.inputs], ledger)
            for spec, tensor in zip(program.signature.outputs, facts, strict=True):
                entries += _of_tensor(tensor, spec.name, ledger)
            carried = frozenset().union(*(held.origins for tensor in facts for held in tensor.every()))
        else:
            _record_inner(model, ledger)
    except UsageError:
        raise
    except Exception as error:  # the layer's own code may raise anything
        raise ModelError(
            f"the contracts of the layers of {model.name!r} cannot be collected",
            got=located(error),
            expected="a method contracts() that returns contracts",
        ) from error
    return entries, list(_not_carried(ledger, carried))


def _not_carried(ledger: Ledger, carried: frozenset[int]) -> list[NotCarried]:
    ended = []
    for place, origin in enumerate(ledger.origins):
        if place not in carried:
            by, why = ledger.ends.get(place, (origin.layer, _NO_OUTPUT))
            ended.append(NotCarried(origin.contract.kind, kinds.params_of(origin.contract), origin.layer, by, why))
    return ended


def _of_tensor(tensor: TensorFacts, output: str, ledger: Ledger) -> list[ContractEntry]:
    """The contracts that hold for an output of the model."""
    held: list[tuple[tuple[str, ...], Contract, frozenset[int]]] = []
    held += [((), each.contract, each.origins) for each in tensor.held]
    held += [((source,), each.contract, each.origins) for source, path in tensor.paths.items() for each in path.held]
    return [kinds.entry_of(contract, inputs, [output], _layers(origins, ledger)) for inputs, contract, origins in held]


def _layers(origins: frozenset[int], ledger: Ledger) -> str:
    return ", ".join(dict.fromkeys(ledger.origins[place].layer for place in sorted(origins)))


def _record_inner(model: BuiltModel | Served, ledger: Ledger) -> None:
    """Record the layers' contracts of a model whose calls are not known: none is carried."""
    for layer, path in paths(model):
        contracts = getattr(layer, "contracts", None)
        if layer is model or not callable(contracts):
            continue
        for each in contracts():
            if not isinstance(each, WeightContract):
                held = ledger.record(contract_in(each), path)
                ledger.end(held.origins, model.name, _SUBCLASSED)


def _of_model(stated: Contract | About, name: str, signature: Signature) -> ContractEntry:
    """The entry of a contract that a model states by a method of its own: it is about all its inputs."""
    about = f"{stated.argument}->" if isinstance(stated, About) else ""
    entry = entry_for(Statement(contract_in(stated), about), signature)
    return kinds.entry_of(contract_in(stated), entry.inputs, entry.outputs, name)
