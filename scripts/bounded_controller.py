"""A network that balances a pendulum through an actuator with limits, in closed loop in every runtime.

    python scripts/bounded_controller.py            # the command keeps its bounds and its rate limit: exits with 0
    python scripts/bounded_controller.py --break    # the clip at the end is gone: exits with 1

A pendulum of 0.2 kg and 0.5 m stands upright on its pivot. A motor there applies at most 0.6 N m, and its torque
changes by at most 0.05 N m per sample, at 100 samples per second. The network imitates `-3 angle - 0.5 rate`. From the
state and the last command it computes two samples of the command, the last and the next, since the rate limit is a
promise about both. Without the clip, an undisturbed run still stays within the bounds: only the search, or a push,
shows that the clip is missing.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

BOUND, STEP = 0.6, 0.05  # N m, and N m per sample
ANGLE, SPEED = 0.6, 3.0  # rad and rad/s: the states that the network is made for
SECONDS, PERIOD, SUBSTEPS = 4.0, 0.01, 4
GRAVITY, INERTIA, DAMPING = 0.2 * 9.81 * 0.5, 0.2 * 0.5**2, 0.005  # m g l, m l^2, N m s
PUSHED = 1  # the second run
ROUNDING = 2.0**-20
PUSH = 1.5  # N m, for 50 ms

Array = npt.NDArray[Any]
#: Maps angles, speeds and the last commands sent, each `(runs, 1)`, to both commands, `(runs, 2, 1)`.
Controller = Callable[[dict[str, Array]], Any]


def controller(broken: bool) -> Any:
    """The trained network; if `broken`, its last layer promises the bounds but does not clip."""
    import keras

    from kexport_layers.bounded_output import BoundedOutput
    from kexport_layers.rate_limiter import RateLimiter

    @keras.saving.register_keras_serializable(package="examples")
    class UnclippedOutput(BoundedOutput):
        def call(self, inputs: Any) -> Any:
            return inputs

    keras.utils.set_random_seed(0)
    angle, speed, last = (keras.Input((1,), name=name) for name in ("angle", "speed", "last"))
    state = keras.layers.Concatenate(name="state")([angle, speed])
    scaled = keras.layers.Rescaling([1 / ANGLE, 1 / SPEED], name="scaled")(state)
    wanted = keras.layers.Dense(1, name="wanted")(keras.layers.Dense(16, "tanh", name="hidden")(scaled))
    states = np.random.default_rng(0).uniform(-1, 1, (2, 4096, 1)) * np.reshape((ANGLE, SPEED), (2, 1, 1))
    law = keras.Model([angle, speed], wanted)
    law.compile(keras.optimizers.Adam(1e-2), "mse")
    law.fit(list(states), -3.0 * states[0] - 0.5 * states[1], batch_size=256, epochs=30, verbose=0)
    both = keras.layers.Reshape((2, 1), name="both")(keras.layers.Concatenate(name="joined")([last, wanted]))
    bounded = UnclippedOutput if broken else BoundedOutput
    limited = RateLimiter(STEP, name="limited")(both)
    command = bounded(-BOUND, BOUND, method="clip", name="command")(limited)
    return keras.Model([angle, speed, last], command, name="bounded_controller")


def closed_loop(act: Controller) -> Loop:
    """Run the model in closed loop from 0.2 rad: once undisturbed, once with pushes."""
    count = round(SECONDS / PERIOD)
    angle, speed, sent = np.full((2, 1), 0.2), np.zeros((2, 1)), np.zeros((2, 1))
    angles, commands = np.zeros((count, 2)), np.zeros((count, 2))
    for sample in range(count):
        seen = {"angle": np.clip(angle, -ANGLE, ANGLE), "speed": np.clip(speed, -SPEED, SPEED), "last": sent}
        sent = np.asarray(act({name: values.astype("float32") for name, values in seen.items()})["command"])[:, 1]
        push = np.array([[0.0], [PUSH if sample % 150 >= 145 else 0.0]])
        for _ in range(SUBSTEPS):
            torque = GRAVITY * np.sin(angle) - DAMPING * speed + sent + push
            speed = speed + torque / INERTIA * PERIOD / SUBSTEPS
            angle = angle + speed * PERIOD / SUBSTEPS
        angles[sample], commands[sample] = angle[:, 0], sent[:, 0]
    return Loop(angles, commands)


@dataclass(frozen=True)
class Loop:
    """Angles in rad and commands in N m, `(samples, runs)`, of an undisturbed run and of one with pushes."""

    angles: Array
    commands: Array

    @property
    def largest(self) -> Array:
        """For each run, the largest command and its largest change; the first change is from rest."""
        changes = np.diff(self.commands, axis=0, prepend=0.0)
        return np.asarray(np.abs(np.stack([self.commands, changes])).max(axis=1).T)

    @property
    def beyond(self) -> Array:
        """Where commands exceed the bounds, or their rate limit, by more than float32 rounding."""
        return np.asarray(self.largest > np.array([BOUND, STEP]) * (1 + ROUNDING))

    def row(self, name: str) -> str:
        """One line of the table."""
        cells = zip(self.largest.flat, self.beyond.flat, strict=True)
        shown = "".join(f"  {value:.4f}{' *' if beyond else '  '}" for value, beyond in cells)
        off = np.abs(self.angles[:, PUSHED])
        return f"{name:<17}{shown}  {off.max():.3f}  {off[-1]:.3f}"


def main() -> int:
    """Train, build, and close the loop in every runtime."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("artifacts/bounded_controller"))
    parser.add_argument("--formats", help="by default all")
    parser.add_argument("--break", dest="broken", action="store_true", help="leave out the clip")
    arguments = parser.parse_args()

    import kexport
    from kexport.contracts import RateLimited
    from kexport.reports import terminal

    domain = {"angle": (-ANGLE, ANGLE), "speed": (-SPEED, SPEED), "last": (-BOUND, BOUND)}
    bundle = kexport.build(
        controller(arguments.broken),
        arguments.out,
        formats=arguments.formats.split(",") if arguments.formats else None,
        domain=domain,
        contracts=[RateLimited(STEP)],
    )
    terminal.show(bundle.report, bundle, sys.stdout)
    print(f"\n{'N m':17}  {'a calm run':<18}  {'one with pushes':<18}  its angle")
    print(f"{'':17}" + "  largest   change  " * 2 + "  most   last")
    kept = True
    for name in [check.runtime or "" for check in bundle.report.checks if check.compared]:
        loop = closed_loop(kexport.load(bundle.path, name))
        print(loop.row(name))
        kept &= not loop.beyond.any()
    return bundle.report.exit_code or int(not kept)


if __name__ == "__main__":
    raise SystemExit(main())
