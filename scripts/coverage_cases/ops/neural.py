"""Functions of neural networks."""

from keras import ops

from coverage_cases._draw import booleans, integers, normal, special, uniform
from coverage_cases.ops._operation import Operations

CASES = Operations()
of = CASES.of
_REAL, _WIDE, _IMAGE = normal(4, 6), normal(4, 6, scale=3), normal(8, 7, 4)

for _name in (
    "celu elu gelu glu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu log_sigmoid log_softmax relu relu6 selu "
    "sigmoid silu soft_shrink softmax softplus softsign sparse_plus sparse_sigmoid sparsemax squareplus tanh_shrink"
).split():
    of(f"{_name}/default", _WIDE, getattr(ops, _name))
of("sigmoid/special", special(4, 6), ops.sigmoid)
for _name in "softplus log_softmax logsumexp gelu".split():
    of(f"{_name}/far", normal(4, 6, scale=80), getattr(ops, _name))
of("gelu/exact", _WIDE, lambda x: ops.gelu(x, approximate=False))
of("threshold/default", _REAL, lambda x: ops.threshold(x, 0.2, -1.0))
of("normalize/default", _REAL, lambda x: ops.normalize(x, axis=-1))
of("normalize/order", _REAL, lambda x: ops.normalize(x, axis=1, order=1))
of("polar/default", [normal(4), normal(4)], lambda x: ops.real(ops.polar(ops.abs(x[0]), x[1])))
of("one_hot/default", integers(0, 5, 4), lambda x: ops.one_hot(x, 5))
of("one_hot/outside", integers(-2, 7, 4), lambda x: ops.one_hot(x, 5))
of("one_hot/axis", integers(0, 5, 4), lambda x: ops.one_hot(x, 5, axis=1, dtype="int32"))
of("multi_hot/default", integers(0, 6, 4), lambda x: ops.multi_hot(x, 6))
of("layer_normalization/default", _REAL, ops.layer_normalization)
of("rms_normalization/default", _REAL, ops.rms_normalization)
of(
    "batch_normalization/default",
    _REAL,
    lambda x: ops.batch_normalization(x, ops.mean(x, (0, 1)) * 0 + 0.5, ops.ones((6,)) * 2.0, axis=-1),
)
of(
    "binary_crossentropy/default",
    [booleans(4), uniform(0.1, 0.9, 4)],
    lambda x: ops.binary_crossentropy(ops.cast(x[0], "float32"), x[1]),
)
of(
    "categorical_crossentropy/default",
    [uniform(0, 1, 5), normal(5)],
    lambda x: ops.categorical_crossentropy(x[0], x[1], from_logits=True),
)
of(
    "sparse_categorical_crossentropy/default",
    [normal(5), integers(0, 5)],
    lambda x: ops.sparse_categorical_crossentropy(x[1], x[0], from_logits=True),
)
of("psnr/default", [uniform(0, 1, 6), uniform(0, 1, 6)], lambda x: ops.psnr(x[0], x[1], 1.0) + x[0])
of("conv/default", _IMAGE, lambda x: ops.conv(x, ops.ones((3, 3, 4, 2)), padding="same", strides=2))
of("conv/dynamic_kernel", [normal(8, 4), normal(3, 4, 2)], lambda x: ops.conv(x[0], x[1][0]))
of("conv_transpose/default", _IMAGE, lambda x: ops.conv_transpose(x, ops.ones((3, 3, 2, 4)), strides=2, padding="same"))
of("depthwise_conv/default", _IMAGE, lambda x: ops.depthwise_conv(x, ops.ones((3, 3, 4, 2))))
of(
    "separable_conv/default",
    _IMAGE,
    lambda x: ops.separable_conv(x, ops.ones((3, 3, 4, 2)), ops.ones((1, 1, 8, 3)), padding="same"),
)
of("max_pool/default", _IMAGE, lambda x: ops.max_pool(x, 2))
of("average_pool/same", _IMAGE, lambda x: ops.average_pool(x, 3, 2, "same"))
of("adaptive_average_pool/default", _IMAGE, lambda x: ops.adaptive_average_pool(x, 3))
of("adaptive_max_pool/default", _IMAGE, lambda x: ops.adaptive_max_pool(x, (3, 2)))
of("depth_to_space/default", normal(4, 3, 8), lambda x: ops.depth_to_space(x, 2))
of("space_to_depth/default", normal(4, 6, 2), lambda x: ops.space_to_depth(x, 2))
of("unfold/default", normal(2, 6, 5), lambda x: ops.unfold(x, 3), batch=2)
of("fold/default", normal(18, 12), lambda x: ops.fold(x, (5, 6), 3))
_HEADS = [normal(6, 2, 4), normal(5, 2, 4)]
of("dot_product_attention/default", _HEADS, lambda x: ops.dot_product_attention(x[0], x[1], x[1]))
of("dot_product_attention/causal", normal(6, 2, 4), lambda x: ops.dot_product_attention(x, x, x, is_causal=True))
of(
    "dot_product_attention/dynamic",
    normal(None, 2, 4),
    lambda x: ops.dot_product_attention(x, x, x, is_causal=True),
)
of(
    "dot_product_attention/mask",
    [normal(6, 2, 4), booleans(1, 6, 6)],
    lambda x: ops.dot_product_attention(x[0], x[0], x[0], mask=x[1]),
)
_SCORES = [normal(9, 5), integers(5, 9)]
of(
    "ctc_decode/greedy",
    _SCORES,
    lambda x: ops.ctc_decode(x[0], ops.cast(x[1], "int32"), strategy="greedy")[0][0],
)
of(
    "ctc_loss/default",
    [integers(1, 5, 3), normal(9, 5)],
    lambda x: ops.ctc_loss(x[0], x[1], ops.sum(x[0] * 0, 1) + 3, ops.sum(x[0] * 0, 1) + 9),
)
