"""How long onnxruntime takes for convolutions of one row, written as ONNX' 1-D and as its 2-D convolution.

    python scripts/benchmark_convolution_lines.py [--turns 40] [--write]

Both are timed in turns, in one thread; each figure is the least of all turns, which other work on the machine disturbs
least. The choice is that of kexport's lowering. `--write` writes the page docs/convolution_lines.md.

Exit code 1 when what is chosen takes more than 1.05 times as long as the faster of both, by more than 2 us.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from measurements import DOCS, parser, quiet_environment, versions

LIMIT = 1.05
_JITTER = 2e-6  # seconds: what a call of a session differs by from turn to turn


@dataclass(frozen=True)
class Line:
    """A convolution of one row.

    Attributes:
        taps: the length of the kernel.
        channels: of the input.
        filters: channels of the output.
        step: the stride.
        length: of the input.
        batch: how many inputs.
    """

    taps: int
    channels: int
    filters: int
    step: int
    length: int
    batch: int = 1

    def session(self, rank: int) -> tuple[Any, dict[str, Any]]:
        """A session of the convolution with this many axes, and what to feed it."""
        import numpy as np
        import onnxruntime
        from onnx import TensorProto, helper, numpy_helper

        rng, row = np.random.default_rng(0), [1] * (rank - 3)
        kernel = rng.standard_normal([self.filters, self.channels, *row, self.taps]).astype("float32")
        options = {"kernel_shape": [*row, self.taps], "strides": [*row, self.step], "pads": [0] * (2 * rank - 4)}
        shape = [self.batch, self.channels, *row, self.length]
        graph = helper.make_graph(
            [helper.make_node("Conv", ["x", "w"], ["y"], **options)],
            "line",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", *shape[1:]])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
            [numpy_helper.from_array(kernel, "w")],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 8
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(model.SerializeToString(), settings)
        return session, {"x": rng.standard_normal(shape).astype("float32")}

    def seconds(self, turns: int) -> list[float]:
        """The least time of the 1-D and of the 2-D convolution."""
        runs = [_run(*self.session(rank)) for rank in (3, 4)]
        least = [float("inf")] * 2
        for _ in range(turns):
            for which, run in enumerate(runs):
                least[which] = min(least[which], run())
        return least


def _run(session: Any, feed: dict[str, Any]) -> Callable[[], float]:
    def timed() -> float:
        started = time.perf_counter()
        session.run(None, feed)
        return time.perf_counter() - started

    return timed


def lines() -> Iterator[Line]:
    """Filters of signals, banks of filters, and layers of networks."""
    yield from itertools.starmap(Line, itertools.product((5, 31, 127), (1,), (1,), (1,), (256, 4096)))
    yield from itertools.starmap(Line, itertools.product((9, 31, 256), (1,), (2, 4, 16), (1,), (2048,)))
    yield from itertools.starmap(Line, itertools.product((31, 256), (1,), (1, 4, 36), (4, 16), (16384,)))
    yield from itertools.starmap(Line, itertools.product((3, 9), (2, 8, 32), (1, 4, 32), (1,), (1024,)))
    yield from itertools.starmap(Line, itertools.product((1, 5), (1, 16), (8, 32), (1,), (1024,)))
    yield Line(256, 1, 36, 16, 43844)
    yield Line(31, 1, 1, 1, 2048, 4)


def page(rows: list[tuple[Line, list[float], bool]]) -> str:
    """The page of the figures."""
    packages = ", ".join(f"{name} {version}" for name, version in versions(("onnxruntime",)).items())
    text = [
        "# Convolutions of one row in ONNX", "",
        "TensorFlow has 2-D convolutions only: a 1-D one is an image of one row. kexport writes it to ONNX as 1-D",
        "where that is faster: without steps, into at most 4 filters, or with at most 6 taps and 24 terms in a sum.",
        f"Least time of one call in one thread, in microseconds ({packages}). `chosen / faster` is limited to {LIMIT}",
        "where the two differ by more than 2 us.", "",
        "| taps | channels | filters | step | length | batch | 1-D | 2-D | chosen | chosen / faster |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]  # fmt: skip
    for line, (one, two), chosen in rows:
        shape = [line.taps, line.channels, line.filters, line.step, line.length, line.batch]
        figures = [f"{one * 1e6:.1f}", f"{two * 1e6:.1f}", "1-D" if chosen else "2-D"]
        text.append(f"| {' | '.join(map(str, [*shape, *figures]))} | {(one if chosen else two) / min(one, two):.2f} |")
    return "\n".join([*text, "", "Made by `scripts/benchmark_convolution_lines.py --write`.", ""])


def main() -> int:
    """Measure; 1 when the choice is too slow."""
    quiet_environment()
    command = parser(__doc__)
    command.add_argument("--turns", type=int, default=40, help="how often each is timed (%(default)s)")
    command.add_argument("--write", action="store_true", help="write docs/convolution_lines.md")
    options = command.parse_args()
    from kexport.factory.lowerings.convolution_line_onnx import faster_as_line

    rows, slow = [], 0
    for line in lines():
        one, two = line.seconds(options.turns)
        chosen = faster_as_line(line.taps, line.channels, line.filters, line.step)
        taken = one if chosen else two
        bad = taken > LIMIT * min(one, two) and taken - min(one, two) > _JITTER
        slow += bad
        rows.append((line, [one, two], chosen))
        print(f"{line}: 1-D {one * 1e6:.1f} us, 2-D {two * 1e6:.1f} us, {'1-D' if chosen else '2-D'}{' SLOW' * bad}")
    print(f"{len(rows) - slow} of {len(rows)} within {LIMIT} of the faster")
    if options.write:
        (DOCS / "convolution_lines.md").write_text(page(rows))
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
