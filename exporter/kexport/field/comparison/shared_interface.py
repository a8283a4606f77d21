"""The interface that two models share: one signature, by the names of A, and one domain for each input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from kexport.bundle import data_files
from kexport.bundle.declared_domain import coerce
from kexport.bundle.domain import Domain, Samples, united
from kexport.bundle.naming import carried
from kexport.bundle.signature import Array, Signature, TensorSpec
from kexport.errors import UsageError
from kexport.field.comparison.operands import Operand
from kexport.field.comparison.tensor_pairs import TensorPair
from kexport.field.remote import NameMap, Outputs, RemoteSession


@dataclass(frozen=True)
class InterfaceOptions:
    """What a user says about the inputs and outputs of two models.

    Attributes:
        names: the names in B by those in A, where they differ.
        domains: the domains of inputs, by name.
        samples: a file with recorded inputs.
        signature: the one to compare, of files that hold several.
        max_bytes: what limits on the size of that file are raised to.
        left: the array or column of that file that is no input, if any.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    domains: Mapping[str, object] = field(default_factory=dict)
    samples: str | Path | None = None
    signature: str | None = None
    max_bytes: int = 0
    left: str = ""


@dataclass(frozen=True)
class SharedInterface:
    """Both models under the names of A.

    Attributes:
        signature: what fits both.
        a: the shared names by the names of A, which are the same.
        b: the shared names by the names of B.
        domains: the domains of the inputs.
        undeclared: the inputs whose domain nobody stated.
    """

    signature: Signature
    a: NameMap
    b: NameMap
    domains: Mapping[str, Domain]
    undeclared: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, inputs: Sequence[TensorPair], outputs: Sequence[TensorPair], domains: Mapping[str, Domain]
    ) -> SharedInterface:
        """The interface of pairs without problems."""
        signature = Signature(tuple(pair.common for pair in inputs), tuple(pair.common for pair in outputs))
        ours, theirs = ({p.b.name: p.a.name for p in pairs} for pairs in (inputs, outputs))
        moved_in, moved_out = ({p.a.name: p.axis for p in pairs if p.axis} for pairs in (inputs, outputs))
        a = replace(NameMap.identity(signature), input_axes=moved_in, output_axes=moved_out)
        return cls(signature, a, NameMap(ours, theirs, moved_in, moved_out), domains)

    def renamed(self, a: RemoteSession, b: RemoteSession) -> tuple[RemoteSession, RemoteSession]:
        """Sessions of A and B, called by the names of this interface."""
        return a.renamed(self.a), b.renamed(self.b)

    def inputs_renamed(self, a: RemoteSession, b: RemoteSession) -> tuple[RemoteSession, RemoteSession]:
        """Likewise, but with their own names for the outputs, which need not be paired yet."""
        names = (replace(ours, outputs=NameMap.identity(each.signature).outputs, output_axes={})
                 for ours, each in ((self.a, a), (self.b, b)))  # fmt: skip
        one, other = (each.renamed(called) for each, called in zip((a, b), names, strict=True))
        return one, other


def observed_outputs(names: Sequence[str], calls: Sequence[tuple[Mapping[str, Array], Outputs]]) -> list[TensorSpec]:
    """Outputs as they came out: an axis is dynamic when its size is that of the batch, or changed.

    Args:
        names: the names of the outputs.
        calls: inputs and outputs.
    """
    specs = []
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
        specs.append(TensorSpec(name, dtype, tuple(sizes)))
    return specs


def domains_of(
    inputs: Sequence[TensorPair], operands: tuple[Operand, Operand], options: InterfaceOptions
) -> tuple[dict[str, Domain], list[str]]:
    """The domains that are known, by the names of A, and notes: declared, or else those of the bundles.

    What either bundle takes is drawn: all keys of two vocabularies, the hull of two ranges.

    Raises:
        UsageError: a domain is declared for no input, or twice, or cannot be read.
        InputError: the recorded samples cannot be read.
    """
    specs = {pair.a.name: pair.common for pair in inputs}
    recorded = _recorded(specs, options)
    recorded |= {pair.a.name: np.moveaxis(recorded[pair.a.name], pair.axis, 0)
                 for pair in inputs if pair.a.name in recorded and recorded[pair.a.name].ndim > pair.axis}  # fmt: skip
    declared = {**_by_names_of_a(inputs, options.domains), **recorded}
    domains = {name: coerce(name, value, specs[name]) for name, value in declared.items()}
    counts = {name: len(domain.values) for name, domain in domains.items() if isinstance(domain, Samples)}
    if len(set(counts.values())) > 1:
        raise UsageError("the recorded samples differ in number", got=counts, expected="one number for all of them")
    notes: list[str] = []
    a, b = operands
    given = frozenset(domains)
    for operand, name_of in ((a, {p.a.name: p.a.name for p in inputs}), (b, {p.b.name: p.a.name for p in inputs})):
        if operand.bundle is not None and len(given) < len(specs):
            for name, each in operand.bundle.domains().items():
                ours = name_of.get(name)
                if ours is not None and ours not in given:
                    domains[ours] = united(domains[ours], each) if ours in domains else each
            notes += operand.bundle.manifest.notes
    return domains, notes


def _by_names_of_a(inputs: Sequence[TensorPair], declared: Mapping[str, object]) -> dict[str, object]:
    """The declared domains by the names of A, also where an input is named as B, or as the model itself, does."""
    domains: dict[str, object] = {}
    for name, value in declared.items():
        called = next((p.a.name for p in inputs if p.a.name == name), None)
        called = called or next((p.a.name for p in inputs if name == p.b.name or carried(name) == p.a.name), None)
        if called is None:
            raise UsageError(
                f"a domain is given for {name!r}, which is no input",
                expected="one of " + ", ".join(pair.a.name for pair in inputs),
            )
        domains[called] = value
    return domains


def _recorded(specs: Mapping[str, TensorSpec], options: InterfaceOptions) -> dict[str, Array]:
    if options.samples is None:
        return {}
    signature = Signature(tuple(specs.values()), ())
    recorded = data_files.read(Path(options.samples), signature, options.max_bytes, options.left)
    for name in recorded:
        if name not in specs or name in options.domains:
            what = "has two domains" if name in options.domains else "is no input"
            raise UsageError(f"{options.samples}: {name!r} {what}", expected="one of " + ", ".join(specs))
    return recorded
