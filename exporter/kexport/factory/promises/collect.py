"""What a model promises: what its layers state and the model keeps, and what a person states at the build."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kexport.bundle.contract_entries import ContractEntry, NotCarried
from kexport.bundle.report import Check, CheckKind, Measurement, Subject
from kexport.bundle.signature import Signature
from kexport.contracts import About, WeightContract, kinds
from kexport.errors import ModelError, UsageError, located, require_known
from kexport.factory.promises.propagation import Holding, Ledger, Tensor, is_graph, outputs_of
from kexport.factory.promises.rules import OUTPUT_KINDS
from kexport.factory.trace.program import Program, paths

_HINT = "'bounded(0, 1)', 'OUTPUT=bounded(0, 1)', 'INPUT->OUTPUT=monotonic(1)' or 'LAYER=sparse(0.5)'"


@dataclass(frozen=True)
class Stated:
    """A contract that a person states at the build.

    Attributes:
        contract: what is promised.
        about: the output, `INPUT->OUTPUT`, or of a promise about weights the layer; empty for the only one.
    """

    contract: Any
    about: str = ""

    @classmethod
    def parse(cls, text: str) -> Stated:
        """What `bounded(0, 1)` or `y=bounded(0, 1)` states.

        Raises:
            UsageError: it cannot be read, or its kind is not known.
        """
        about, equals, rest = text.partition("=")
        if not equals or "(" in about:
            about, rest = "", text
        return cls(kinds.parse(rest), about.strip())


@dataclass(frozen=True)
class Promises:
    """What is written into the manifest, and what was checked of weights.

    Attributes:
        contracts: of the model.
        not_carried: of its layers alone.
        checks: of promises about weights.
    """

    contracts: tuple[ContractEntry, ...]
    not_carried: tuple[NotCarried, ...]
    checks: tuple[Check, ...]


def stated(given: Any) -> list[Stated]:
    """What `build(contracts=...)` may be: contracts or texts in a sequence, or by what they are about.

    Raises:
        UsageError: one cannot be read, or is no contract.
    """
    if isinstance(given, Mapping):
        return [Stated(one.contract, about) for about, each in given.items() for one in stated(_several(each))]
    found = []
    for each in _several(given):
        if not isinstance(each, str) and not (hasattr(each, "kind") and hasattr(each, "words")):
            raise UsageError("something that was given as a contract is none", got=repr(each), expected=_HINT)
        found.append(Stated.parse(each) if isinstance(each, str) else Stated(each))
    return found


def _several(given: Any) -> Sequence[Any]:
    return given if isinstance(given, list | tuple) else [given]


def collect(program: Program, given: Sequence[Stated]) -> Promises:
    """The promises of a traced model.

    Raises:
        UsageError: a contract that was given speaks of something the model does not have.
        ModelError: a layer's own `contracts` method fails.
    """
    signature = program.signature
    contracts, not_carried = ([], []) if program.served else _of_layers(program)
    weighed = _weights(program, given)
    contracts += [promised for promised, _ in weighed]
    contracts += [_given(each, signature) for each in given if not isinstance(each.contract, WeightContract)]
    return Promises(tuple(_distinct(contracts)), tuple(not_carried), tuple(check for _, check in weighed))


def _distinct(contracts: Sequence[ContractEntry]) -> list[ContractEntry]:
    """Each promise once, whichever layers make it; one about weights is each layer's own."""
    found: dict[str, ContractEntry] = {}
    for each in contracts:
        about = {**each.to_json(), "layer": "" if each.outputs else each.layer}
        found.setdefault(json.dumps(about, sort_keys=True), each)
    return list(found.values())


def _of_layers(program: Program) -> tuple[list[ContractEntry], list[NotCarried]]:
    model, signature = program.model, program.signature
    inputs, outputs = [s.name for s in signature.inputs], [s.name for s in signature.outputs]
    ledger = Ledger()
    own = getattr(model, "contracts", None)
    found: list[ContractEntry] = []
    try:
        if callable(own):
            found = [_of_model(each, model.name, signature) for each in own() if not isinstance(each, WeightContract)]
        if is_graph(model) and program.interface.tensors:
            tensors = outputs_of(model, inputs, ledger)
            found += [
                each for name, tensor in zip(outputs, tensors, strict=True) for each in _of_tensor(tensor, name, ledger)
            ]
            carried = _carried(tensors)
        else:
            _inside(model, ledger)
            carried = frozenset()
    except UsageError:
        raise
    except Exception as error:  # the layer's own code may raise anything
        raise ModelError(
            f"what the layers of {model.name!r} promise cannot be told",
            got=located(error),
            expected="a method contracts() that returns contracts",
        ) from error
    ended = []
    for place, origin in enumerate(ledger.origins):
        if place not in carried:
            by, why = ledger.ends.get(place, (origin.layer, "its result is no output of the model"))
            ended.append(NotCarried(origin.contract.kind, kinds.params_of(origin.contract), origin.layer, by, why))
    return found, ended


def _of_tensor(tensor: Tensor, output: str, ledger: Ledger) -> list[ContractEntry]:
    """The promises that hold for an output of the model."""
    found: list[tuple[tuple[str, ...], Holding]] = [((), holding) for holding in tensor.own]
    found += [((source,), holding) for source, way in tensor.ways.items() for holding in way.holdings]
    return [
        kinds.entry_of(holding.contract, inputs, [output], _layers(holding.origins, ledger))
        for inputs, holding in found
    ]


def _layers(origins: frozenset[int], ledger: Ledger) -> str:
    return ", ".join(dict.fromkeys(ledger.origins[place].layer for place in sorted(origins)))


def _carried(tensors: Sequence[Tensor]) -> frozenset[int]:
    holdings = [each for tensor in tensors for each in tensor.own]
    holdings += [each for tensor in tensors for way in tensor.ways.values() for each in way.holdings]
    return frozenset().union(*(each.origins for each in holdings))


def _inside(model: Any, ledger: Ledger) -> None:
    """Layers of a model whose calls are not known: what they promise is not carried."""
    for layer, path in paths(model):
        contracts = getattr(layer, "contracts", None)
        if layer is model or not callable(contracts):
            continue
        for each in contracts():
            if not isinstance(each, WeightContract):
                holding = ledger.made(each.contract if isinstance(each, About) else each, path)
                ledger.end(holding.origins, model.name, "the calls inside of a subclassed model are not known")


def _of_model(stating: Any, name: str, signature: Signature) -> ContractEntry:
    """What a model promises by a method of its own: it speaks of all its inputs."""
    contract = stating.contract if isinstance(stating, About) else stating
    about = f"{stating.argument}->" if isinstance(stating, About) else ""
    found = _given(Stated(contract, about), signature)
    return kinds.entry_of(contract, found.inputs, found.outputs, name)


def _given(each: Stated, signature: Signature) -> ContractEntry:
    """The promise that a person states.

    Raises:
        UsageError: it names no input or output of the model, or not which of several.
    """
    inputs, outputs = [s.name for s in signature.inputs], [s.name for s in signature.outputs]
    source, arrow, target = each.about.rpartition("->")
    source, target = source.strip(), target.strip()
    output = _one_of(target, outputs, "output", each) if target else _only(outputs, "output", each)
    if each.contract.kind in OUTPUT_KINDS:
        return kinds.entry_of(each.contract, (), [output])
    if arrow and source:
        return kinds.entry_of(each.contract, [_one_of(source, inputs, "input", each)], [output])
    return kinds.entry_of(each.contract, inputs, [output])


def _one_of(name: str, known: Sequence[str], side: str, each: Stated) -> str:
    about = f"contract {kinds.text(each.contract)} speaks of an {side} that the model does not have"
    require_known(name, known, about, name)
    return name


def _only(known: Sequence[str], side: str, each: Stated) -> str:
    if len(known) != 1:
        raise UsageError(
            f"contract {kinds.text(each.contract)} does not say of which {side} it speaks",
            got=f"{len(known)} {side}s: {', '.join(known)}",
            expected=_HINT,
        )
    return known[0]


def _weights(program: Program, given: Sequence[Stated]) -> list[tuple[ContractEntry, Check]]:
    """Promises about weights, of layers and of the person, each with its check on the Keras model."""
    layers = {} if program.served else {path: layer for layer, path in paths(program.model)}
    wanted: list[tuple[str, Any]] = []
    for path, layer in layers.items():
        contracts = getattr(layer, "contracts", None)
        if callable(contracts):
            wanted += [(path, each) for each in contracts() if isinstance(each, WeightContract)]
    for each in given:
        if isinstance(each.contract, WeightContract):
            if each.about not in layers:
                raise UsageError(
                    f"contract {kinds.text(each.contract)} is about the weights of a layer that is not there",
                    got=each.about or "no layer",
                    expected=", ".join(layers) or "a model with layers",
                    hint=f"write LAYER={kinds.text(each.contract)}",
                )
            wanted.append((each.about, each.contract))
    return [_weighed(path, layers[path], contract) for path, contract in wanted]


def _weighed(path: str, layer: Any, contract: Any) -> tuple[ContractEntry, Check]:
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
