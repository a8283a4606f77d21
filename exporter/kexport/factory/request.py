"""The request for a build, and the plan made from it before TensorFlow is imported."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from kexport import runtimes
from kexport.bundle import domain as domains
from kexport.bundle import store
from kexport.bundle.precision import Precisions
from kexport.bundle.signature import Array, Signature
from kexport.errors import MissingExtraError, UsageError
from kexport.factory import formats, sources
from kexport.factory.formats import Format, SmallTarget, small_targets
from kexport.factory.inputs.recording import Recording
from kexport.factory.promises import statements
from kexport.factory.sources import Source
from kexport.factory.trace import BuiltModel, Served
from kexport.field.budgets import require_metric
from kexport.field.evaluation import Evaluation, MetricRequest
from kexport.field.trust import Trust
from kexport.parity.strictness import Strictness
from kexport.process import DEFAULT_TIMEOUT


@dataclass(frozen=True)
class Declarations:
    """What the user states about the model.

    Attributes:
        domain: of some or all inputs: a text such as `"uniform(-5, 5)"`, a `(low, high)` pair, or an array of recorded
            samples whose first axis counts the samples.
        samples: recorded data as the domain of the inputs that it holds: the path of a `.npz`, `.npy` or `.csv`, arrays
            by input name, or the array of the only input.
        contracts: promises of the model besides those of its layers, as `kexport.build` takes them.
        unseen: layers, weights or outputs that no golden need see, each with the reason.
        signatures: which of the functions in a SavedModel is the model; none for its only one, or the default. A bundle
            is of one: `kexport.factory.signatures` makes a request for each of several.
        metric: a metric of the samples, with their labels, computed for the model and every artifact.
    """

    domain: Mapping[str, object] = field(default_factory=dict)
    samples: object = None
    contracts: object = ()
    unseen: Mapping[str, str] = field(default_factory=dict)
    signatures: tuple[str, ...] = ()
    metric: MetricRequest | None = None


@dataclass(frozen=True)
class Conversion:
    """Which formats are written, and how.

    Attributes:
        formats: their names; None for all that the model can be written as.
        opset: the opset of the ONNX artifact; None for the highest that its converter writes.
        timeout: time limit for the conversion to one format, in seconds.
        keep_going: whether a refused format becomes a failed check instead of an error.
        precisions: those that are written, and what the small ones must keep.
    """

    formats: Sequence[str] | None = None
    opset: int | None = None
    timeout: float = DEFAULT_TIMEOUT
    keep_going: bool = False
    precisions: Precisions = field(default_factory=Precisions)

    @property
    def options(self) -> dict[str, int | None]:
        """The settings of the converters, by name."""
        return {"opset": self.opset}


@dataclass(frozen=True)
class BuildRequest:
    """The request for a build, made by `kexport.build` and by the command line.

    Attributes:
        model: a live `keras.Model`, or text that names one, as `kexport.build` takes it.
        out: the bundle's folder; None for `artifacts/NAME`.
        settings: keyword arguments of a registered model or a callable, as text.
        declarations: what is stated about the model.
        conversion: which formats are written, and how.
        trust: the user code that may run.
        strictness: how the finished artifacts are checked.
    """

    model: object
    out: str | Path | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    declarations: Declarations = field(default_factory=Declarations)
    conversion: Conversion = field(default_factory=Conversion)
    trust: Trust = field(default_factory=Trust)
    strictness: Strictness = field(default_factory=Strictness)

    def plan(self) -> BuildPlan:
        """Find the model and the formats, and reject a wrong request before TensorFlow is imported.

        Raises:
            UsageError: a name, domain, contract or option is unknown or cannot be read.
            InputError: the samples or their labels cannot be read.
            ModelError: there is no such model.
            MissingExtraError: a package that the formats need is not installed.
        """
        self.trust.require_imports()
        if len(self.declarations.signatures) > 1:
            raise UsageError(
                "a bundle is of one signature",
                got=", ".join(self.declarations.signatures),
                hint="build each of them into a folder of its own",
            )
        signature = next(iter(self.declarations.signatures), None)
        source = sources.find(self.model, self.settings).with_signature(signature)
        names = self.conversion.formats
        if names is None:
            names = formats.defaults()
        chosen = tuple(formats.get(name) for name in dict.fromkeys(names))
        samples, metric, most = self.declarations.samples, self.declarations.metric, self.trust.max_bytes
        plan = BuildPlan(
            self,
            source,
            store.resolved(self.out if self.out is not None else Path("artifacts") / source.name),
            chosen,
            _readable({**source.domains, **self.declarations.domain}),
            Recording.of(samples, self.declarations.domain, most, metric.labels.part_of(samples) if metric else ""),
            metric.loaded(most) if metric else None,
        )
        formats.require_supported(self.conversion.options)
        small_targets(chosen, self.conversion.precisions)
        require_metric(self.conversion.precisions.budgets, metric.metric if metric else None)
        if not self.trust.imports:
            statements(self.declarations.contracts)  # imported code may register kinds of contract
        _require_packages(chosen)
        return plan


@dataclass(frozen=True)
class BuildPlan:
    """A request whose names are resolved.

    Attributes:
        request: the request that it follows from.
        source: the source of the model.
        target: the bundle's folder.
        formats: the formats to write, in the order of the manifest.
        domain: declared by the source or the request, by input.
        recording: recorded data of inputs.
        metric: a metric of that, with its labels in memory.
    """

    request: BuildRequest
    source: Source
    target: Path
    formats: tuple[Format, ...]
    domain: Mapping[str, object]
    recording: Recording
    metric: MetricRequest | None = None

    @property
    def small(self) -> list[SmallTarget]:
        """What is written in small precisions."""
        return small_targets(self.formats, self.request.conversion.precisions)

    def evaluation(self, signature: Signature, arrays: Mapping[str, Array], *, stateful: bool) -> Evaluation | None:
        """The metric of the recorded samples, if one was requested.

        Args:
            signature: that of the model.
            arrays: the samples by input.
            stateful: whether the model keeps state between calls.

        Raises:
            KexportError: the model has no metric, or samples, labels and model do not fit each other.
        """
        return self.metric.evaluation(signature, arrays, stateful=stateful) if self.metric else None

    def of(self, model: BuiltModel | Served) -> BuildPlan:
        """The plan once the model is loaded: a function has no layers, so no format that needs them is a default."""
        if self.request.conversion.formats is not None or not isinstance(model, Served):
            return self
        return replace(self, formats=tuple(form for form in self.formats if not form.needs_layers))


def _readable(domain: dict[str, object]) -> dict[str, object]:
    """The domains, unchanged.

    Raises:
        UsageError: a text among them cannot be read.
    """
    for value in domain.values():
        if isinstance(value, str):
            domains.parse(value)
    return domain


def _require_packages(chosen: Sequence[Format]) -> None:
    written = {form.name for form in chosen}
    needed = {"tensorflow", "keras", *(module for form in chosen for module in form.modules)}
    needed |= {runtime.package.module for runtime in runtimes.every() if runtime.reads in written}
    missing = sorted(module for module in needed if importlib.util.find_spec(module) is None)
    if missing:
        raise MissingExtraError(
            "building needs packages that are not installed",
            got=", ".join(missing) + (" is missing" if len(missing) == 1 else " are missing"),
            hint="pip install 'kexport[build]'",
        )


def reasons(unseen: Mapping[str, str] | Sequence[str]) -> dict[str, str]:
    """What need not be seen, each with the reason, as `kexport.build` and `--unseen` take it.

    Raises:
        UsageError: a reason is missing.
    """
    texts = [unseen] if isinstance(unseen, str) else unseen
    pairs = unseen.items() if isinstance(unseen, Mapping) else (text.partition(":")[::2] for text in texts)
    stripped = {name.strip(): why.strip() for name, why in pairs}
    for name, why in stripped.items():
        if not name or not why:
            raise UsageError(
                f"what need not be seen has no reason: {name or why!r}", expected="a layer and why: 'layer: reason'"
            )
    return stripped
