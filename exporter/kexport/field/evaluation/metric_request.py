"""What a user asks of a metric: which one, of which output, and the labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kexport.bundle.domain import Samples
from kexport.bundle.folder import Bundle
from kexport.bundle.labels_source import LabelsSource
from kexport.bundle.signature import Array, Signature, TensorSpec
from kexport.errors import UsageError, require_known
from kexport.field.evaluation.evaluation import Evaluation
from kexport.field.evaluation.labelled_samples import LabelledSamples
from kexport.metrics import Metric, choose


@dataclass(frozen=True)
class MetricRequest:
    """A metric, and the labels that it needs.

    Attributes:
        metric: the metric.
        output: the name of the output that it is about; None for the only one.
        labels: where the labels are.
    """

    metric: Metric[Any]
    output: str | None
    labels: LabelsSource

    @classmethod
    def of(cls, metric: str | Callable[..., Any] | None, labels: object) -> MetricRequest | None:
        """The request that the arguments of a public function express; None if there is none.

        Raises:
            UsageError: one is given without the other, or there is no such metric.
        """
        if metric is None and labels is None:
            return None
        if labels is None:
            raise UsageError(
                "--metric needs labels", expected="--labels FILE", hint="and --samples, the inputs to them"
            )
        if metric is None:
            raise UsageError("--labels needs a metric", expected="--metric accuracy, for example")
        return cls(*choose(metric), LabelsSource.of(labels))

    def loaded(self, max_bytes: int = 0) -> MetricRequest:
        """The request with the labels in memory; raises as `LabelsSource.read` does."""
        return replace(self, labels=LabelsSource(None, array=self.labels.read(max_bytes)))

    def evaluation(self, signature: Signature, arrays: Mapping[str, Array], *, stateful: bool = False) -> Evaluation:
        """The evaluation of a model.

        Args:
            signature: that of the model.
            arrays: recorded samples by input; the first axis counts them.
            stateful: whether the model keeps state between calls.

        Raises:
            UsageError: the output is unknown, or one of several; an input has no samples; or the model keeps state.
            InputError: samples and labels differ in number, or a sample does not fit the model.
            MetricError: the labels do not fit the output.
        """
        if stateful:
            raise UsageError(
                "the model keeps state between calls, so its outputs depend on the order of the samples",
                expected="a model without state, for --metric",
            )
        spec = self._output_of(signature)
        samples = LabelledSamples.of(signature, arrays, self.labels.read())
        return Evaluation(self.metric, spec, samples, self.metric.fit(samples.labels, spec))

    def of_bundle(self, bundle: Bundle) -> Evaluation:
        """The evaluation of a bundle on the recorded samples that it keeps; raises as `evaluation` and `read` do."""
        loaded, recorded = self.loaded(bundle.max_bytes), bundle.domains()
        arrays = {name: domain.values for name, domain in recorded.items() if isinstance(domain, Samples)}
        if not arrays:
            raise UsageError(
                "the bundle keeps no recorded samples, which a metric needs", hint="build it with --samples FILE"
            )
        return loaded.evaluation(bundle.signature, arrays, stateful=bundle.manifest.stateful)

    def _output_of(self, signature: Signature) -> TensorSpec:
        names = [spec.name for spec in signature.outputs]
        if self.output is None:
            if len(names) > 1:
                raise UsageError(
                    f"the model has {len(names)} outputs, and a metric is about one", got=", ".join(names),
                    hint=f"--metric {names[0]}={self.metric.name}",
                )  # fmt: skip
            return signature.outputs[0]
        require_known(self.output, names, f"--metric: the model has no output {self.output!r}")
        return next(spec for spec in signature.outputs if spec.name == self.output)
