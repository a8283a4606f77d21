"""A graph that TensorFlow loaded, called twice on one input: there is no code to judge, but what it gives."""

from __future__ import annotations

from collections.abc import Mapping

from kexport.bundle.domain import Domain
from kexport.bundle.report import Check, CheckKind, Subject
from kexport.bundle.signature import Array
from kexport.errors import located
from kexport.factory.diagnosis.comparisons import alike
from kexport.factory.diagnosis.model_calls import ModelCalls
from kexport.factory.emit.ways_out import RANDOM
from kexport.factory.graph.inner_operations import every_operation
from kexport.factory.trace.program import Program
from kexport.parity import golden_inputs


def another_result(program: Program, domains: Mapping[str, Domain]) -> Check | None:
    """The failed check of a graph that gives another result at a second call; None where it does not.

    Args:
        program: of a SavedModel.
        domains: of its inputs.

    Raises:
        ModelError: it rejects every length that was tried.
    """
    calls = ModelCalls(program, domains)

    def arrays_of(feeds: golden_inputs.Feeds) -> list[Array]:
        return [feeds[spec.name] for spec in program.signature.inputs]

    def refusal(feeds: golden_inputs.Feeds) -> str | None:
        try:
            calls.core(arrays_of(feeds))
        except Exception as error:  # noqa: BLE001  TensorFlow may raise anything
            return located(error)
        return None

    _, feeds = next(golden_inputs.plan(program.signature, domains, refusal))
    try:
        one, other = calls.core(arrays_of(feeds)), calls.core(arrays_of(feeds))
    except Exception:  # noqa: BLE001  what fails is told where the truth is computed
        return None
    if all(map(alike, one, other)):
        return None
    types = {op.type for op in every_operation(program.core.graph)}
    drawn = ", ".join(sorted(each for each in types if RANDOM.match(each) and "Stateless" not in each))
    return Check.failure(
        CheckKind.MODEL, Subject(), "a second call on the same input gives another result",
        f"the graph draws random numbers: {drawn}" if drawn else "nothing in the graph draws random numbers",
        "hint: save a signature that draws none, or takes them as an input",
    )  # fmt: skip
