"""Keras layers that constrain the relation of output to input, and named models made of them.

Importing the package imports Keras and registers every layer and regulariser with it, so that
`keras.models.load_model` finds them by name.
"""

from kexport_layers.bounded_output import BoundedOutput as BoundedOutput
from kexport_layers.conserved_sum import ConservedSum as ConservedSum
from kexport_layers.convex_dense import ConvexDense as ConvexDense
from kexport_layers.high_frequency_energy import HighFrequencyEnergy as HighFrequencyEnergy
from kexport_layers.linear_constraint import LinearConstraint as LinearConstraint
from kexport_layers.lipschitz_dense import LipschitzDense as LipschitzDense
from kexport_layers.low_pass_filter import LowPassFilter as LowPassFilter
from kexport_layers.monotonic_dense import MonotonicDense as MonotonicDense
from kexport_layers.permutation_pooling import PermutationPooling as PermutationPooling
from kexport_layers.rate_limiter import RateLimiter as RateLimiter
from kexport_layers.scaled_output import ScaledOutput as ScaledOutput
from kexport_layers.simplex_output import SimplexOutput as SimplexOutput
