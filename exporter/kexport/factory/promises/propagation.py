"""The contracts of a model that is a graph of layers: what holds for each tensor, from the inputs to the outputs."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

from kexport.contracts import About, Contract, Monotonic
from kexport.factory.promises.facts import HeldContract, Ledger, PathFacts, TensorFacts
from kexport.factory.promises.keras_traits import traits_of
from kexport.factory.promises.protocols import GraphNode, GraphOperation, LayerGraph
from kexport.factory.promises.rules import ARRANGED_KINDS, OUTPUT_KINDS, Stage, composed
from kexport.factory.promises.traits import IDENTITY, Traits

# These state an equation between numbers, which holds even where other arguments come from the same input.
_EQUATIONS = frozenset({"conserves"})
#: A contract of a layer as it is stated, and as it holds.
_Relation = tuple[Contract | About, HeldContract]


@dataclass(frozen=True)
class _Call:
    """One call of an operation.

    Attributes:
        operation: the layer or operation.
        node: its symbolic call.
        arguments: the facts of the tensors that it takes.
        name: its path in the model.
    """

    operation: GraphOperation
    node: GraphNode
    arguments: Sequence[TensorFacts]
    name: str

    @property
    def unary(self) -> bool:
        """Whether it takes one tensor and returns one."""
        return len(self.arguments) == 1 and len(self.node.output_tensors) == 1

    def place_of(self, stated: Contract | About) -> int | None:
        """The place, among the tensors of the call, of the argument that a contract is about."""
        if not isinstance(stated, About):
            return None
        names = list(inspect.signature(self.operation.call).parameters)
        tensors = [id(tensor) for tensor in self.node.input_tensors]
        by_name = dict(zip(names, self.node.arguments.args, strict=False)) | dict(self.node.arguments.kwargs)
        value = by_name.get(stated.argument)
        return tensors.index(id(value)) if id(value) in tensors else None


def outputs_of(model: object, inputs: Sequence[str], ledger: Ledger) -> list[TensorFacts]:
    """What holds for the outputs of a functional or sequential model, in order.

    Args:
        model: a model for which `is_graph` holds.
        inputs: the names of its inputs, in order.
        ledger: records every contract that a layer states.
    """
    graph = _graph_of(model)
    assert graph is not None
    return _run(graph, [TensorFacts({name: PathFacts(IDENTITY)}, layer=name) for name in inputs], ledger, "")


def is_graph(model: object) -> bool:
    """Whether the calls inside a model are known."""
    return _graph_of(model) is not None


def contract_in(stated: Contract | About) -> Contract:
    """The contract that a layer states, without the argument that it is about."""
    return stated.contract if isinstance(stated, About) else stated


def _graph_of(model: object) -> LayerGraph | None:
    functional = getattr(model, "_functional", None) or model
    traceable = hasattr(functional, "_nodes_by_depth") and hasattr(functional, "_inputs_struct")
    return cast(LayerGraph, functional) if traceable else None


def _run(graph: LayerGraph, inputs: Sequence[TensorFacts], ledger: Ledger, path: str) -> list[TensorFacts]:
    facts = {id(tensor): each for tensor, each in zip(graph.inputs, inputs, strict=True)}
    for node in _in_order(graph):
        if node.is_input:
            continue
        operation = node.operation
        arguments = [facts[id(tensor)] for tensor in node.input_tensors]
        name = path + operation.name
        inner = _graph_of(operation)
        if inner is not None and len(arguments) == len(inner.inputs) and not hasattr(operation, "contracts"):
            results = _run(inner, arguments, ledger, name + "/")
        else:
            results = [_called(_Call(operation, node, arguments, name), ledger)] * len(node.output_tensors)
        for tensor, each in zip(node.output_tensors, results, strict=True):
            facts[id(tensor)] = each
    return [facts[id(tensor)] for tensor in graph.outputs]


def _in_order(graph: LayerGraph) -> Iterator[GraphNode]:
    """The calls, each after those whose results it takes."""
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        yield from graph._nodes_by_depth[depth]


def _called(call: _Call, ledger: Ledger) -> TensorFacts:
    """What holds for the result of one call."""
    recorded = [(each, ledger.record(contract_in(each), call.name)) for each in _stated_by(call.operation)]
    output = tuple(held for _, held in recorded if held.contract.kind in OUTPUT_KINDS)
    relations = [(each, held) for each, held in recorded if held.contract.kind not in OUTPUT_KINDS]
    if call.unary:
        return _after_one(call, output, [held for _, held in relations], ledger)
    return _after_several(call, output, relations, ledger)


def _after_one(
    call: _Call, output: tuple[HeldContract, ...], relations: Sequence[HeldContract], ledger: Ledger
) -> TensorFacts:
    """What holds after a layer that takes one tensor."""
    (argument,), name, traits = call.arguments, call.name, traits_of(call.operation)
    if traits.identity and call.node.input_tensors[0].dtype != call.node.output_tensors[0].dtype:
        traits = replace(traits, identity=False, rearranges=False)  # it rounds
    if traits.identity:
        return replace(argument, held=(*argument.held, *output))
    arranged = {id(h): h for h in argument.held if traits.rearranges and h.contract.kind in ARRANGED_KINDS}
    for held in argument.held:
        if id(held) not in arranged:
            ledger.end(held.origins, name, "it is about the layer's output, which goes through another layer")
    paths: dict[str, PathFacts] = {}
    kept: set[int] = set()
    for source, path in argument.paths.items():
        derived = []
        for contract, parts in composed(Stage([held.contract for held in relations], traits), path.stage):
            origins = frozenset().union(*(_origins_of(part, (*relations, *path.held)) for part in parts))
            derived.append(HeldContract(contract, origins))
            kept |= origins
        paths[source] = PathFacts(traits.after(path.traits), tuple(_distinct(derived)))
    for path in argument.paths.values():
        for held in path.held:
            ledger.end(held.origins - kept, name, "KIND is not known to hold through it")
    for held in relations:
        why = "it computes the layer's input, and KIND is not known to hold after it"
        ledger.end(held.origins - kept, argument.layer or name, why)
    return TensorFacts(paths, (*arranged.values(), *output), name)


def _after_several(
    call: _Call, output: tuple[HeldContract, ...], relations: Sequence[_Relation], ledger: Ledger
) -> TensorFacts:
    """What holds after a layer that takes several tensors, or returns several."""
    arguments = call.arguments
    paths = {source: PathFacts(Traits()) for argument in arguments for source in argument.paths}
    for argument in arguments:
        for held in argument.every():
            ledger.end(held.origins, call.name, "several tensors meet here")
    for stated, held in relations:
        if held.contract.kind == "convex" and not isinstance(stated, About):
            _carry_convex(call, held, relations, paths, ledger)
            continue
        place = call.place_of(stated)
        places = [place] if place is not None else list(range(len(arguments))) if isinstance(stated, About) else []
        carried = len(places) == 1 and _carry_about(arguments, places[0], held, paths)
        if not carried:
            ledger.end(held.origins, call.name, "it takes several tensors, and this one is not an input of the model")
    return TensorFacts(paths, output, call.name)


def _origins_of(part: Contract, held: Sequence[HeldContract]) -> frozenset[int]:
    return next((each.origins for each in held if each.contract is part), frozenset())


def _distinct(held: Sequence[HeldContract]) -> list[HeldContract]:
    distinct: list[HeldContract] = []
    for each in held:
        if not any(each.contract == other.contract for other in distinct):
            distinct.append(each)
    return distinct


def _carry_about(arguments: Sequence[TensorFacts], place: int, held: HeldContract, paths: dict[str, PathFacts]) -> bool:
    """Carry a contract about one argument, when that is an input of the model which no other argument depends on."""
    inputs = [source for source, path in arguments[place].paths.items() if path.traits.identity]
    if len(arguments[place].paths) != 1 or not inputs:
        return False
    others = {source for index, each in enumerate(arguments) if index != place for source in each.paths}
    if inputs[0] in others and held.contract.kind not in _EQUATIONS:
        return False
    paths[inputs[0]] = replace(paths[inputs[0]], held=(*paths[inputs[0]].held, held))
    return True


def _carry_convex(
    call: _Call, held: HeldContract, relations: Sequence[_Relation], paths: dict[str, PathFacts], ledger: Ledger
) -> None:
    """Convexity in all arguments together holds where each is affine, or convex and the layer nondecreasing in it.

    Boyd and Vandenberghe, Convex optimization, 2004, section 3.2.4 (vector composition).
    """
    rising = {
        call.place_of(each)
        for each, other in relations
        if isinstance(each, About) and isinstance(other.contract, Monotonic) and other.contract.direction == 1
    }
    origins = held.origins
    for place, argument in enumerate(call.arguments):
        for path in argument.paths.values():
            convex = [each.origins for each in path.held if each.contract.kind == "convex"]
            if path.stage.affine:
                continue
            if place not in rising or not convex:
                ledger.end(origins, call.name, f"its argument {argument.layer} is not known to be convex")
                return
            origins = origins.union(*convex)
    for source, path in paths.items():
        paths[source] = replace(path, held=(*path.held, HeldContract(held.contract, origins)))


def _stated_by(operation: GraphOperation) -> list[Contract | About]:
    """The contracts that a layer states about its function; those about weights are collected elsewhere."""
    contracts = getattr(operation, "contracts", None)
    stated = list(contracts()) if callable(contracts) else []
    return [each for each in stated if not hasattr(each, "check_weights")]
