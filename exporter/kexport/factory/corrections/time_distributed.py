"""`TimeDistributed` over a dynamic time axis: in a graph, Keras takes the batch size for the number of steps.

The inner layer is applied to every step alike, so all steps of all samples can be one batch: `(batch, time, ...)`
becomes `(batch * time, ...)` and back.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from kexport.factory.corrections._correction import Correction, Record
from kexport.factory.graph.protocols import Tensor
from kexport.runtimes.keras_model import Method, replaced


@contextlib.contextmanager
def _active(record: Record) -> Iterator[None]:
    import keras

    with replaced(keras.layers.TimeDistributed, "call", _steps_as_batch):
        yield


def _steps_as_batch(original: Method) -> Method:
    def call(self: Any, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None) -> object:
        from keras import ops

        if inputs.shape[1] is not None:
            return original(self, inputs, training=training, mask=mask)
        options: dict[str, object] = {}
        if self.layer._call_has_training_arg:
            options["training"] = training
        if self.layer._call_has_mask_arg and mask is not None:
            options["mask"] = ops.reshape(mask, (-1, *ops.shape(mask)[2:]))
        _, steps, *sizes = ops.shape(inputs)
        outputs = self.layer.call(ops.reshape(inputs, (-1, *sizes)), **options)
        return ops.reshape(outputs, (-1, steps, *ops.shape(outputs)[1:]))

    return call


CORRECTION = Correction("time_distributed", _active)
