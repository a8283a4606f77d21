"""Bytes of an image: rescaled, resized and classified."""

from __future__ import annotations

from fault_cases._family import Family
from fault_cases._rebuilt import Changed
from fault_cases._values import constant, swapped, transposed

FAMILY = Family("pixels", "an image of bytes, rescaled and resized", {"pixels": "ints(0, 256)"})


@FAMILY.model
def make():
    import keras
    from keras import layers, ops

    pixels = keras.Input((6, 6, 3), dtype="uint8", name="pixels")
    real = layers.Rescaling(1 / 255.0, offset=-0.5, name="rescaled")(ops.cast(pixels, "float32"))
    resized = layers.Resizing(9, 9, interpolation="bilinear", name="resized")(real)
    mixed = layers.Conv2D(4, 3, strides=3, activation="relu", name="mixed")(resized)
    return keras.Model(pixels, layers.GlobalMaxPooling2D(name="peaks")(mixed), name="pixels")


def _signed(graph, pixels):
    """Bytes above 127 are read as negative."""
    limit, turn = graph.constant(127.0, "float32"), graph.constant(256.0, "float32")
    return graph.add("Where", graph.add("Greater", pixels, limit), graph.add("Sub", pixels, turn), pixels)


def _below_255(graph, pixels):
    return graph.add("Min", pixels, graph.constant(254.0, "float32"))


FAMILY.onnx("two channels swapped", "mixed", lambda g: g.change("Conv", "mixed", 1, swapped(1, 0, 2)), variant="bgr")
FAMILY.tflite(
    "two channels swapped", "mixed", lambda f: f.change("CONV_2D", "mixed", 1, swapped(3, 0, 2)), variant="bgr"
)
FAMILY.onnx("bytes divided by 256", "rescaled", lambda g: g.change("Mul", "rescaled", 1, constant(1 / 256)))
FAMILY.tflite("bytes divided by 256", "rescaled", lambda f: f.change("MUL", "rescaled", 1, constant(1 / 256)))
FAMILY.rebuilt("bias dropped", "rescaled", Changed(config={"offset": 0.0}), ["tflite"], variant="of the rescaling")
FAMILY.onnx("bytes read as signed", "cast", lambda g: g.after(g.node("Cast", "").output[0], _signed))
FAMILY.onnx(
    "clipped short of the end of the domain", "cast", lambda g: g.after(g.node("Cast", "").output[0], _below_255)
)
FAMILY.rebuilt("wrong interpolation", "resized", Changed(config={"interpolation": "nearest"}), ["onnx", "saved_model"])
FAMILY.tflite("square kernel transposed", "mixed", lambda f: f.change("CONV_2D", "mixed", 1, transposed(1, 2)))
