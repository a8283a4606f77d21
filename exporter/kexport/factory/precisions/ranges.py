"""Real values outside of what the integers of an artifact stand for, on inputs on which no range was measured."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kexport import runtimes
from kexport.bundle.json_text import JsonObject
from kexport.bundle.signature import Signature
from kexport.errors import KexportError
from kexport.factory.formats import SmallTarget
from kexport.factory.precisions import ranges_in_worker
from kexport.field.workers import WorkerPool
from kexport.process import WorkerCrashError

_MOST_TOLD = 5
_TIMEOUT = 600.0
_HINT = (
    "integers end there: calibrate on more samples (--samples), or on all between their ends too (--calibration domain)"
)


@dataclass(frozen=True)
class Outside:
    """What was counted in one artifact.

    Attributes:
        path: of the artifact.
        tensors: of each tensor of integers, as `ranges_in_worker.OutsideJson`, with its `layer`.
        failed: why nothing was counted; empty where that is not so.
    """

    path: str
    tensors: tuple[Mapping[str, Any], ...]
    failed: str = ""

    @property
    def details(self) -> JsonObject:
        """What the manifest records: the tensors that have values outside."""
        keys = ("tensor", "layer", "values", "outside")
        found = [{key: each[key] for key in keys} for each in self._worst()]
        return {"outside_ranges": found} if found else {}

    def told(self) -> Iterator[str]:
        """Notes for the report."""
        if self.failed:
            yield f"{self.path}: values outside of its ranges could not be counted: {self.failed}"
            return
        values = sum(each["values"] for each in self.tensors)
        worst = self._worst()
        held_back = "on inputs on which no range was measured"
        if not self.tensors:
            return  # what it computes in float is told elsewhere
        if not worst:
            yield f"{self.path}: of {values:,} values in {len(self.tensors)} tensors, {held_back}, none is outside"
            return
        for each in worst[:_MOST_TOLD]:
            share = 100 * each["outside"] / each["values"]
            yield (
                f"{self.path}: {each['outside']:,} of {each['values']:,} values ({share:.2g} %) of {each['tensor']} of "
                f"{each['layer']} are outside of {each['low']:.4g} to {each['high']:.4g}, {held_back}: they reach from "
                f"{each['least']:.4g} to {each['largest']:.4g}"
            )
        more = f"{len(worst) - _MOST_TOLD} further tensors of it have such values; " * (len(worst) > _MOST_TOLD)
        yield f"{self.path}: {more}{_HINT}"

    def _worst(self) -> list[Mapping[str, Any]]:
        """The tensors with values outside, the largest share first."""
        found = [each for each in self.tensors if each["outside"]]
        return sorted(found, key=lambda each: -each["outside"] / each["values"])


def count_outside(
    targets: Sequence[SmallTarget], folder: Path, signature: Signature, inputs: Path, layer: Callable[[str], str]
) -> list[Outside]:
    """Count, in every artifact of integers, the values of the model in float32 that its integers cannot stand for.

    Args:
        targets: the artifacts.
        folder: the folder of the bundle, with those in float32 too.
        signature: of the model.
        inputs: the file of the inputs.
        layer: the layer that computes a tensor of a name, in words.
    """
    found = []
    with contextlib.closing(WorkerPool()) as pool:
        for target in targets:
            runtime = runtimes.best([target.form.name], target.label)
            restarting = pool.worker_for(runtime)
            assert restarting is not None
            worker = restarting.worker
            worker.submit(
                f"{ranges_in_worker.__name__}:{ranges_in_worker.serve.__name__}",
                files={"wide": str(folder / target.form.path), "narrow": str(folder / target.path)},
                form=target.form.name,
                runtime=runtime.name,
                signature=signature.to_json(),
                inputs=str(inputs),
            )
            try:
                tensors = tuple({**each, "layer": layer(each["tensor"])} for each in worker.results(_TIMEOUT))
            except (KexportError, WorkerCrashError, RuntimeError) as error:
                found.append(Outside(target.path, (), str(error).splitlines()[0]))
            else:
                found.append(Outside(target.path, tensors))
    return found
