"""Attention."""

from keras import layers as L

from coverage_cases._case import Cases
from coverage_cases._draw import booleans, ended, integers, normal

CASES = Cases("layers")
of = CASES.of
_PAIR = [normal(5, 4), normal(6, 4)]
_SIX = [normal(5, 8), normal(6, 8)]

of("Attention/default", _PAIR, lambda x: L.Attention()(x))
of("Attention/scaled", _PAIR, lambda x: L.Attention(use_scale=True)(x))
of("Attention/concat", _PAIR, lambda x: L.Attention(score_mode="concat", use_scale=True)(x))
of("Attention/causal", normal(5, 4), lambda x: L.Attention()([x, x], use_causal_mask=True))
of("Attention/causal_dynamic", normal(None, 4), lambda x: L.Attention()([x, x], use_causal_mask=True))
of("Attention/scores", _PAIR, lambda x: L.Attention()(x, return_attention_scores=True))
of("Attention/masked", [*_PAIR, booleans(6)], lambda x: L.Attention()([x[0], x[1]], mask=[None, x[2]]))
of(
    "Attention/three",
    [normal(5, 4), normal(6, 3), normal(6, 4)],
    lambda x: L.Attention()([x[0], x[1], x[2]]),
)
of("AdditiveAttention/default", _PAIR, lambda x: L.AdditiveAttention()(x))
of("AdditiveAttention/no_scale", _PAIR, lambda x: L.AdditiveAttention(use_scale=False)(x))
of("AdditiveAttention/causal", normal(5, 4), lambda x: L.AdditiveAttention()([x, x], use_causal_mask=True))
of("MultiHeadAttention/self", normal(5, 8), lambda x: L.MultiHeadAttention(2, 4)(x, x))
of("MultiHeadAttention/cross", _SIX, lambda x: L.MultiHeadAttention(2, 4)(x[0], x[1]))
of("MultiHeadAttention/self_dynamic", normal(None, 8), lambda x: L.MultiHeadAttention(2, 4)(x, x))
of("MultiHeadAttention/causal", normal(5, 8), lambda x: L.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True))
of(
    "MultiHeadAttention/causal_dynamic",
    normal(None, 8),
    lambda x: L.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True),
)
of(
    "MultiHeadAttention/scores_dynamic",
    [normal(None, 8), normal(None, 8)],
    lambda x: L.MultiHeadAttention(2, 4)(x[0], x[1], return_attention_scores=True),
)
of(
    "MultiHeadAttention/mask",
    [normal(5, 8), booleans(5, 5)],
    lambda x: L.MultiHeadAttention(2, 4)(x[0], x[0], attention_mask=x[1]),
)
of(
    "MultiHeadAttention/implicit_mask",
    ended(integers(1, 9, 6)),
    lambda x: (lambda e: L.MultiHeadAttention(2, 4)(e, e))(L.Embedding(9, 8, mask_zero=True)(x)),
)
of("MultiHeadAttention/value_dim", _SIX, lambda x: L.MultiHeadAttention(2, 4, value_dim=3)(x[0], x[1]))
of("MultiHeadAttention/output_shape", normal(5, 8), lambda x: L.MultiHeadAttention(2, 4, output_shape=5)(x, x))
of("MultiHeadAttention/no_bias", normal(5, 8), lambda x: L.MultiHeadAttention(2, 4, use_bias=False)(x, x))
of(
    "MultiHeadAttention/two_axes",
    normal(3, 4, 8),
    lambda x: L.MultiHeadAttention(2, 4, attention_axes=(1, 2))(x, x),
)
of("MultiHeadAttention/no_flash", normal(5, 8), lambda x: L.MultiHeadAttention(2, 4, flash_attention=False)(x, x))
of(
    "MultiHeadAttention/mixed_float16",
    normal(5, 8),
    lambda x: L.MultiHeadAttention(2, 4, dtype="mixed_float16")(x, x),
    noise=True,
)
of("GroupQueryAttention/default", normal(5, 8), lambda x: L.GroupQueryAttention(4, 4, 2)(x, x))
of("GroupQueryAttention/cross", _SIX, lambda x: L.GroupQueryAttention(4, 4, 1)(x[0], x[1]))
of("GroupQueryAttention/causal", normal(5, 8), lambda x: L.GroupQueryAttention(4, 4, 2)(x, x, use_causal_mask=True))
of(
    "GroupQueryAttention/causal_dynamic",
    normal(None, 8),
    lambda x: L.GroupQueryAttention(4, 4, 2)(x, x, use_causal_mask=True),
)
