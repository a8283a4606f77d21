"""Linear algebra."""

from keras import ops

from coverage_cases._draw import definite, normal
from coverage_cases.ops._operation import Operations

CASES = Operations()
of = CASES.of
_SQUARE = definite(4)

for _name in "cholesky cholesky_inverse det inv pinv logdet".split():
    of(f"{_name}/default", _SQUARE, getattr(ops, _name))
of("cholesky/upper", _SQUARE, lambda x: ops.linalg.cholesky(x, upper=True))
of("slogdet/default", _SQUARE, lambda x: list(ops.slogdet(x)))
of("eigh/values", _SQUARE, lambda x: ops.eigh(x)[0])
of("eig/values", _SQUARE, lambda x: ops.sort(ops.real(ops.linalg.eig(x)[0]), -1))
of("svd/values", normal(4, 5), lambda x: ops.svd(x, compute_uv=False))
of(
    "svd/product",
    normal(4, 5),
    lambda x: (lambda u, s, v: ops.matmul(u * s[:, None], v))(*ops.svd(x, full_matrices=False)),
)
of("qr/default", _SQUARE, lambda x: ops.matmul(*ops.qr(x)))
of("qr/upper", _SQUARE, lambda x: ops.abs(ops.qr(x)[1]))
of("lu_factor/default", _SQUARE, lambda x: list(ops.lu_factor(x[0])))
of("solve/default", [_SQUARE, normal(4, 2)], lambda x: ops.solve(x[0], x[1]))
of("solve/vector", [_SQUARE, normal(4)], lambda x: ops.solve(x[0], x[1]))
of("solve_triangular/default", [_SQUARE, normal(4, 2)], lambda x: ops.solve_triangular(x[0], x[1], lower=True))
of("lstsq/default", normal(4, 3), lambda x: ops.lstsq(x[0], ops.ones((4, 1))))
of("matrix_rank/default", normal(4, 5), ops.linalg.matrix_rank)
of("norm/default", normal(4, 5), lambda x: ops.norm(x, axis=-1))
of("norm/ones", normal(4, 5), lambda x: ops.norm(x, ord=1, axis=-1))
of("norm/largest", normal(4, 5), lambda x: ops.norm(x, ord=float("inf"), axis=-1))
of("norm/frobenius", normal(4, 5), lambda x: ops.norm(x, ord="fro", axis=(1, 2)))
of("norm/nuclear", normal(4, 5), lambda x: ops.norm(x, ord="nuc", axis=(1, 2)))
of("norm/matrix_two", normal(4, 5), lambda x: ops.norm(x, ord=2, axis=(1, 2)))
