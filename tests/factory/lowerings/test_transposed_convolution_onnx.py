import keras
import numpy as np
import pytest
import tensorflow as tf

from kexport.testing.closeness import assert_close

RANDOM = np.random.default_rng(0)
SIZES = (4, 5, 3)


def direct(x, kernel, step, rate, padding, more):
    """The definition in float64: every input adds the kernel, times itself, at `step` times its place."""
    x, kernel = x.astype("float64"), kernel.astype("float64")
    space = kernel.ndim - 2
    spans = [(taps - 1) * rate + 1 for taps in kernel.shape[:space]]
    reach = [(size - 1) * step + span for size, span in zip(x.shape[1:-1], spans, strict=True)]
    if more is not None:
        begins = [span // 2 if padding == "same" else 0 for span in spans]
        sizes = [end - 2 * begin + more for end, begin in zip(reach, begins, strict=True)]
    elif padding == "same":
        sizes = [size * step for size in x.shape[1:-1]]
    else:
        sizes = [size * step + max(span - step, 0) for size, span in zip(x.shape[1:-1], spans, strict=True)]
    full = np.zeros((x.shape[0], *(max(e, s) + s for e, s in zip(reach, sizes, strict=True)), kernel.shape[-2]))
    for tap in np.ndindex(*kernel.shape[:space]):
        ends = [t * rate + (size - 1) * step + 1 for t, size in zip(tap, x.shape[1:-1], strict=True)]
        places = [slice(t * rate, end, step) for t, end in zip(tap, ends, strict=True)]
        index = (slice(None), *places)
        full[index] += x @ kernel[tap].T
    begins = [max(end - size, 0) // 2 if padding == "same" else 0 for end, size in zip(reach, sizes, strict=True)]
    inside = (slice(None), *(slice(b, b + size) for b, size in zip(begins, sizes, strict=True)))
    return full[inside]


CASES = {
    "plain": {},
    "strides": {"step": 2},
    "strides longer than the kernel": {"step": 4},
    "dilation": {"rate": 2},
    "output padding": {"step": 2, "more": 1},
}


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("name", CASES)
def test_transposed_convolutions_of_every_kind(converted, format_name, layout, padding, name):
    settings = {"step": 1, "rate": 1, "more": None} | CASES[name]
    for space in (1, 2):
        x = RANDOM.normal(size=(2, *SIZES[:space], 3)).astype("float32")
        kernel = RANDOM.normal(size=(*(3, 2)[:space], 5, 3)).astype("float32")
        truth = direct(x, kernel, **settings, padding=padding)
        given = x if layout == "channels_last" else np.moveaxis(x, -1, 1)
        results, _ = converted(_layer(kernel, settings, padding, layout), format_name, given)
        for (value,) in results:
            found = value if layout == "channels_last" else np.moveaxis(value, 1, -1)
            assert_close(found, truth, ulps=32, scale=np.abs(kernel).sum())


@pytest.mark.parametrize("format_name", ["onnx", "tflite"])
def test_three_dimensions_and_dynamic_sizes(converted, format_name):
    x = RANDOM.normal(size=(2, *SIZES, 3)).astype("float32")
    kernel = RANDOM.normal(size=(3, 2, 2, 5, 3)).astype("float32")
    settings = {"step": 2, "rate": 1, "more": None}
    layer = _layer(kernel, settings, "same", "channels_first")
    first = np.moveaxis(x, -1, 1)

    def dynamic(value):
        return layer(tf.ensure_shape(value, (None, 3, None, None, None)))

    results, _ = converted(dynamic, format_name, first, dynamic=True)
    truth = direct(x, kernel, **settings, padding="same")
    for (value,) in results:
        assert_close(np.moveaxis(value, 1, -1), truth, ulps=32, scale=np.abs(kernel).sum())


def _layer(kernel, settings, padding, layout):
    return lambda value: keras.ops.conv_transpose(
        value,
        tf.constant(kernel),
        settings["step"],
        padding,
        output_padding=settings["more"],
        data_format=layout,
        dilation_rate=settings["rate"],
    )


def test_the_size_of_the_input_need_not_be_known(converted):
    x, kernel = RANDOM.normal(size=(2, 4, 4, 3)).astype("float32"), RANDOM.normal(size=(3, 3, 2, 3)).astype("float32")
    results, _ = converted(
        lambda x: tf.nn.conv2d_transpose(x, kernel, [2, 8, 8, 2], strides=2, padding="SAME"), "onnx", x, dynamic=True
    )
    for (value,) in results:
        assert_close(value, direct(x, kernel, 2, 1, "same", None))
