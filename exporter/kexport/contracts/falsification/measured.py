"""What a contract measures on samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kexport.bundle.signature import Array
from kexport.parity.space import Population


@dataclass(frozen=True)
class Measured:
    """A contract's measurement of samples; all arrays of shape `(samples,)`.

    Attributes:
        excess: how far each sample exceeds the promise; negative where the promise holds. NaN counts as broken.
        slack: how much of the excess float arithmetic may cause; 0 only where nothing is tolerated.
        figure: shown in the verdict instead of the excess.
        limit: shown in the verdict instead of the slack.
        merit: the objective to climb: above 1 exactly where the excess is more than the slack, else above 0 and the
            larger the nearer to it; derived from excess and slack by default.
    """

    excess: Array
    slack: Array
    figure: Array | None = None
    limit: Array | None = None
    merit: Array | None = None


#: Measures the samples of a population.
Measure = Callable[[Population], Measured]
