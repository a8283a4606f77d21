"""What two models have in common: one signature, by the names of A, and one domain for each input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kexport.bundle import data_files
from kexport.bundle.declared_domain import coerce, default_for
from kexport.bundle.domain import Domain, Samples
from kexport.bundle.signature import Array, Signature, TensorSpec
from kexport.errors import UsageError
from kexport.field.comparison.operands import Model
from kexport.field.comparison.tensor_pairs import Pair
from kexport.field.remote import NameMap, Outputs


@dataclass(frozen=True)
class Frame:
    """Both models under the names of A.

    Attributes:
        signature: what fits both.
        a: what A calls it.
        b: what B calls it.
    """

    signature: Signature
    a: NameMap
    b: NameMap

    @classmethod
    def of(cls, inputs: Sequence[Pair], outputs: Sequence[Pair]) -> Frame:
        """The frame of pairs without problems."""
        signature = Signature(tuple(pair.common for pair in inputs), tuple(pair.common for pair in outputs))
        ours, theirs = ({p.b.name: p.a.name for p in side} for side in (inputs, outputs))
        return cls(signature, NameMap.own(signature), NameMap(ours, theirs))


def observed(names: Sequence[str], calls: Sequence[tuple[Mapping[str, Array], Outputs]]) -> list[TensorSpec]:
    """Outputs as they came out: the axes whose size is that of the batch, or changed, are dynamic.

    Args:
        names: of the outputs.
        calls: inputs and outputs.
    """
    found = []
    for name in names:
        shapes = [outputs[name].shape for _, outputs in calls]
        sizes: list[int | None] = [size if {s[i : i + 1] for s in shapes} == {(size,)} else None
                                   for i, size in enumerate(shapes[0])]  # fmt: skip
        batches = [{value.shape[:1] for value in feeds.values()} for feeds, _ in calls]
        follows = all(batch == {shape[:1]} for batch, shape in zip(batches, shapes, strict=True))
        if sizes and sizes[0] is None and not follows:
            sizes[0] = shapes[0][0]  # no batch: samples must not be put together along it
        array = calls[0][1][name]
        dtype = "string" if array.dtype.kind == "U" else array.dtype.name
        found.append(TensorSpec(name, dtype, tuple(sizes)))
    return found


def settled(
    inputs: Sequence[Pair], a: Model, b: Model, declared: Mapping[str, object], samples: str | Path | None
) -> tuple[dict[str, Domain], list[str]]:
    """The domain of every input by the names of A, and notes: declared, else a bundle's own, else a default.

    Raises:
        UsageError: a domain is declared for no input, or twice, or cannot be read.
        InputError: the recorded samples cannot be read.
    """
    specs = {pair.a.name: pair.common for pair in inputs}
    told = {**_own_names(inputs, declared), **_recorded(specs, samples, declared)}
    found = {name: coerce(name, value, specs[name]) for name, value in told.items()}
    counts = {name: len(domain.values) for name, domain in found.items() if isinstance(domain, Samples)}
    if len(set(counts.values())) > 1:
        raise UsageError("the recorded samples differ in number", got=counts, expected="as many rows of every input")
    notes: list[str] = []
    for model, name_of in ((a, {p.a.name: p.a.name for p in inputs}), (b, {p.b.name: p.a.name for p in inputs})):
        if model.bundle is not None and len(found) < len(specs):
            own = model.bundle.domains()
            found |= {name_of[n]: domain for n, domain in own.items() if n in name_of and name_of[n] not in found}
            notes += model.bundle.manifest.notes
    for name, spec in specs.items():
        if name not in found:
            found[name] = default_for(spec)
            notes.append(f"input {name} was given no domain: {found[name]} is the default")
    return {name: found[name] for name in specs}, notes


def _own_names(inputs: Sequence[Pair], declared: Mapping[str, object]) -> dict[str, object]:
    """What is declared, by the names of A, where it is by those of B."""
    found: dict[str, object] = {}
    for name, value in declared.items():
        own = next((p.a.name for p in inputs if p.a.name == name), None)
        own = own or next((p.a.name for p in inputs if p.b.name == name), None)
        if own is None:
            raise UsageError(
                f"a domain is given for {name!r}, which is no input",
                expected="one of " + ", ".join(pair.a.name for pair in inputs),
            )
        found[own] = value
    return found


def _recorded(
    specs: Mapping[str, TensorSpec], samples: str | Path | None, declared: Mapping[str, object]
) -> dict[str, Array]:
    if samples is None:
        return {}
    found = data_files.read(Path(samples), Signature(tuple(specs.values()), ()))
    for name in found:
        if name not in specs or name in declared:
            what = "has two domains" if name in declared else "is no input"
            raise UsageError(f"{samples}: {name!r} {what}", expected="one of " + ", ".join(specs))
    return found
