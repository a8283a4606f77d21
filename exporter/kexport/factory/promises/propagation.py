"""The promises of a model that is a graph of layers: from the inputs on, what holds of each tensor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kexport.contracts import About
from kexport.factory.promises.rules import ARRANGED_KINDS, IDENTITY, OUTPUT_KINDS, Side, Traits, composed
from kexport.factory.promises.traits import traits_of

# These state an equation between numbers, which holds even where other arguments come from the same input.
_EQUATIONS = frozenset({"conserves"})


@dataclass(frozen=True)
class Origin:
    """A promise as a layer made it."""

    contract: Any
    layer: str


@dataclass(frozen=True)
class Holding:
    """A contract that holds between an input of the model and a tensor, and the promises that it follows from."""

    contract: Any
    origins: frozenset[int]


@dataclass(frozen=True)
class Way:
    """All that is known between one input of the model and a tensor."""

    traits: Traits
    holdings: tuple[Holding, ...] = ()

    @property
    def side(self) -> Side:
        """For the rules."""
        return Side([each.contract for each in self.holdings], self.traits)


@dataclass(frozen=True)
class Tensor:
    """A tensor of the graph.

    Attributes:
        ways: by name of the model's input that it depends on.
        own: what holds of it whatever the inputs are.
        made_by: the layer or operation it comes from.
    """

    ways: Mapping[str, Way]
    own: tuple[Holding, ...] = ()
    made_by: str = ""


@dataclass
class Ledger:
    """Every promise that a layer made, and where it ended.

    Attributes:
        origins: in the order of the calls.
        ends: of a promise, by its place, the layer that ended it, and why.
    """

    origins: list[Origin] = field(default_factory=list)
    ends: dict[int, tuple[str, str]] = field(default_factory=dict)

    def made(self, contract: Any, layer: str) -> Holding:
        """A promise that is made now."""
        self.origins.append(Origin(contract, layer))
        return Holding(contract, frozenset({len(self.origins) - 1}))

    def end(self, origins: frozenset[int], layer: str, why: str) -> None:
        """Promises end here, those that did not end before; `KIND` in the reason stands for what each is."""
        for origin in origins:
            kind = self.origins[origin].contract.kind
            self.ends.setdefault(origin, (layer, why.replace("KIND", kind)))


def outputs_of(model: Any, inputs: Sequence[str], ledger: Ledger) -> list[Tensor]:
    """What holds of the outputs of a functional or sequential model, in order.

    Args:
        model: whose graph is known.
        inputs: names of its inputs, in order.
        ledger: is told of every promise.
    """
    return _run(model, [Tensor({name: Way(IDENTITY)}, made_by=name) for name in inputs], ledger, "")


def _run(model: Any, given: Sequence[Tensor], ledger: Ledger, path: str) -> list[Tensor]:
    functional = getattr(model, "_functional", None) or model
    known = {id(tensor): each for tensor, each in zip(functional.inputs, given, strict=True)}
    for nodes in _in_order(functional):
        if nodes.is_input:
            continue
        operation = nodes.operation
        arguments = [known[id(tensor)] for tensor in nodes.input_tensors]
        name = path + operation.name
        if is_graph(operation) and len(arguments) == len(_inputs(operation)) and not hasattr(operation, "contracts"):
            found = _run(operation, arguments, ledger, name + "/")
        else:
            found = [_called(operation, nodes, arguments, name, ledger)] * len(nodes.output_tensors)
        for tensor, each in zip(nodes.output_tensors, found, strict=True):
            known[id(tensor)] = each
    return [known[id(tensor)] for tensor in functional.outputs]


def is_graph(model: Any) -> bool:
    """Whether the calls inside of a model are known."""
    functional = getattr(model, "_functional", None) or model
    return hasattr(functional, "_nodes_by_depth") and hasattr(functional, "_inputs_struct")


def _inputs(model: Any) -> Sequence[Any]:
    return list((getattr(model, "_functional", None) or model).inputs)


def _in_order(functional: Any) -> Iterator[Any]:
    """The calls, each after those that it takes from."""
    for depth in sorted(functional._nodes_by_depth, reverse=True):
        yield from functional._nodes_by_depth[depth]


def _called(operation: Any, node: Any, arguments: Sequence[Tensor], name: str, ledger: Ledger) -> Tensor:
    """What holds of what one call gives."""
    stated = _stated(operation)
    made = [(each, ledger.made(each.contract if isinstance(each, About) else each, name)) for each in stated]
    one = len(arguments) == 1 and len(node.output_tensors) == 1
    traits = traits_of(operation) if one else Traits()
    if traits.identity and node.input_tensors[0].dtype != node.output_tensors[0].dtype:
        traits = replace(traits, identity=False, rearranges=False)  # it rounds
    own = tuple(holding for _, holding in made if holding.contract.kind in OUTPUT_KINDS)
    relations = [(each, holding) for each, holding in made if holding.contract.kind not in OUTPUT_KINDS]
    if one:
        return _after_one(arguments[0], traits, own, [holding for _, holding in relations], name, ledger)
    ways = {source: Way(Traits()) for argument in arguments for source in argument.ways}
    for argument in arguments:
        _end_all(argument, name, "several tensors meet here", ledger)
    for stating, holding in relations:
        if holding.contract.kind == "convex" and not isinstance(stating, About):
            _convex(operation, node, arguments, (holding, relations), ways, name, ledger)
            continue
        place = _argument(operation, node, stating)
        sources = [place] if place is not None else list(range(len(arguments))) if isinstance(stating, About) else []
        carried = len(sources) == 1 and _about(arguments, sources[0], holding, ways)
        if not carried:
            ledger.end(holding.origins, name, "it takes several tensors, and this one is no input of the model")
    return Tensor(ways, own, name)


def _after_one(
    given: Tensor, traits: Traits, own: tuple[Holding, ...], relations: Sequence[Holding], name: str, ledger: Ledger
) -> Tensor:
    """What holds after a layer that takes one tensor."""
    if traits.identity:
        return replace(given, own=(*given.own, *own))
    arranged = {id(h): h for h in given.own if traits.rearranges and h.contract.kind in ARRANGED_KINDS}
    for holding in given.own:
        if id(holding) not in arranged:
            ledger.end(holding.origins, name, "it promises something of its output, which goes through another layer")
    ways: dict[str, Way] = {}
    kept: set[int] = set()
    for source, way in given.ways.items():
        found = []
        for contract, parts in composed(Side([h.contract for h in relations], traits), way.side):
            origins = frozenset().union(*(_origins_of(part, (*relations, *way.holdings)) for part in parts))
            found.append(Holding(contract, origins))
            kept |= origins
        ways[source] = Way(traits.after(way.traits), tuple(_distinct(found)))
    for way in given.ways.values():
        for holding in way.holdings:
            ledger.end(holding.origins - kept, name, "KIND is not known to hold through it")
    for holding in relations:
        why = "what the layer takes is made by this one, after which KIND is not known to hold"
        ledger.end(holding.origins - kept, given.made_by or name, why)
    return Tensor(ways, (*arranged.values(), *own), name)


def _origins_of(part: Any, holdings: Sequence[Holding]) -> frozenset[int]:
    return next((each.origins for each in holdings if each.contract is part), frozenset())


def _distinct(holdings: Sequence[Holding]) -> list[Holding]:
    found: list[Holding] = []
    for each in holdings:
        if not any(each.contract == other.contract for other in found):
            found.append(each)
    return found


def _about(arguments: Sequence[Tensor], place: int, holding: Holding, ways: dict[str, Way]) -> bool:
    """Carry a promise about one argument, when that is an input of the model which nothing else comes from."""
    inputs = [source for source, way in arguments[place].ways.items() if way.traits.identity]
    if len(arguments[place].ways) != 1 or not inputs:
        return False
    others = {source for index, each in enumerate(arguments) if index != place for source in each.ways}
    if inputs[0] in others and holding.contract.kind not in _EQUATIONS:
        return False
    ways[inputs[0]] = replace(ways[inputs[0]], holdings=(*ways[inputs[0]].holdings, holding))
    return True


def _convex(
    operation: Any,
    node: Any,
    arguments: Sequence[Tensor],
    stated: tuple[Holding, Sequence[tuple[Any, Holding]]],
    ways: dict[str, Way],
    name: str,
    ledger: Ledger,
) -> None:
    """Convex in all arguments together: of what is affine; and of what is convex, where it never falls with that.

    Boyd and Vandenberghe, Convex optimization, 2004, section 3.2.4 (vector composition).
    """
    holding, relations = stated
    rising = {
        _argument(operation, node, each)
        for each, other in relations
        if isinstance(each, About) and other.contract.kind == "monotonic" and other.contract.direction == 1
    }
    origins = holding.origins
    for place, argument in enumerate(arguments):
        for way in argument.ways.values():
            convex = [each.origins for each in way.holdings if each.contract.kind == "convex"]
            if way.side.affine:
                continue
            if place not in rising or not convex:
                ledger.end(origins, name, f"it is not known that convex holds of {argument.made_by}, which it takes")
                return
            origins = origins.union(*convex)
    for source, way in ways.items():
        ways[source] = replace(way, holdings=(*way.holdings, Holding(holding.contract, origins)))


def _argument(operation: Any, node: Any, stating: Any) -> int | None:
    """The place, among the tensors of a call, of the argument that a promise speaks of."""
    if not isinstance(stating, About):
        return None
    import inspect

    names = list(inspect.signature(operation.call).parameters)
    tensors = [id(tensor) for tensor in node.input_tensors]
    given = dict(zip(names, node.arguments.args, strict=False)) | dict(node.arguments.kwargs)
    value = given.get(stating.argument)
    return tensors.index(id(value)) if id(value) in tensors else None


def _end_all(tensor: Tensor, name: str, why: str, ledger: Ledger) -> None:
    for holding in (*tensor.own, *(each for way in tensor.ways.values() for each in way.holdings)):
        ledger.end(holding.origins, name, why)


def _stated(operation: Any) -> list[Any]:
    """What a layer promises of its function; promises about weights are not of it."""
    contracts = getattr(operation, "contracts", None)
    found = list(contracts()) if callable(contracts) else []
    return [each for each in found if not hasattr(each, "check_weights")]
