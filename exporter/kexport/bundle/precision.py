"""The precisions in which a model can be written, and how much of a signal each keeps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from kexport.bundle.budgets import Budgets
from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Signature
from kexport.errors import UsageError, require_known

FLOAT32 = "float32"
#: Significant bits of the coarsest numbers in an artifact of each small precision: of float16 11, else of its weights.
_BITS = {"float16": 11, "int16x8": 8, "dynamic": 8, "int8": 8}
_BITS_LOST = 5
#: All precisions, the most exact first: float16 weights; weights of 8 bits with activations of 16 bits, in float, or
#: of 8 bits.
PRECISIONS = (FLOAT32, *_BITS)
#: The one whose weights alone are integers.
DYNAMIC = "dynamic"
#: The precisions whose arithmetic is that of integers.
INTEGER = ("int16x8", "int8")
#: The one of them in which some layers may stay in float.
MIXABLE = "int8"
#: Where the manifest lists the operators of such an artifact that compute in float all the same.
FLOAT_OPERATORS = "float_operators"
#: Where it lists the weights that one of 8-bit weights keeps in float: operators, their layers, how many numbers.
FLOAT_WEIGHTS = "float_weights"
#: Where it lists operators of integers at which kernels may end the process: these, their layers, how many numbers.
MAY_ABORT = "may_abort"
#: Where a converter lists the layers of which some operator computes in integers.
INTEGER_LAYERS = "integer_layers"
#: Where the manifest lists the layers of such an artifact that were kept in float.
KEPT = "kept"
#: What such artifacts take and return.
IO = ("float", "int")
#: What the ranges of integers are measured on where inputs were recorded: that alone, or all between its ends too.
CALIBRATIONS = ("samples", "domain")
#: In place of names: all are built, and of each format the smallest is kept that meets the budget.
AUTO = "auto"
#: The source of the limit of an output in a small precision.
BUDGET = "budget"


def usual_decibels(precision: str) -> float:
    """The least ratio of signal to quantisation noise of an artifact for which no budget is stated.

    Rounding a sine of full scale to n bits leaves 6.02 n + 1.76 dB (Bennett, Spectra of quantized signals, Bell System
    Technical Journal 27, 1948). Layers add up their noise, and signals do not fill the range of a tensor: up to five
    bits may be lost. Healthy int8 networks were measured at 22 (attention) to 52 dB; a wrong scale leaves less than 10.
    """
    return round(6.02 * (_BITS[precision] - _BITS_LOST) + 1.76, 1)


def weight_rounding(precision: str) -> float:
    """How far an artifact's weight may lie from the model's, relative to the largest of its channel; 0 in float32.

    Half a step of integers that reach from -(2^(n-1) - 1) to 2^(n-1) - 1, or of a mantissa of n bits; where weights
    are rounded up or down so that their errors cancel, on average over those of a channel.
    """
    bits = _BITS.get(precision)
    return 0.0 if bits is None else 0.5 / (2 ** (bits - 1) - 1)


def small_limits(
    limits: Iterable[OutputLimit], signature: Signature, precision: str, decibels: float | None
) -> tuple[OutputLimit, ...]:
    """The limits of an artifact in a small precision: a ratio for real outputs; whole numbers must be right.

    Args:
        limits: those of the model in its own precision.
        signature: of the model.
        precision: that of the artifact.
        decibels: the budget that a person states; None for the usual one.
    """
    least = usual_decibels(precision) if decibels is None else decibels
    reason = f"the least of {precision}" if decibels is None else f"the budget of {precision}"
    return tuple(
        replace(limit, source=BUDGET, reason=reason, decibels=least) if spec.is_float else limit
        for limit, spec in zip(limits, signature.outputs, strict=True)
    )


@dataclass(frozen=True)
class Precisions:
    """The precisions that a build writes, and what the small ones must keep.

    Attributes:
        names: of the precisions; float32 is always written.
        budgets: what each small one must keep.
        io: `"int"` where artifacts of integers take and return integers, `"float"` where they convert these themselves.
        calibration: `"samples"` where ranges are measured on recorded samples alone, `"domain"` where on all between
            their least and largest values too. Of inputs that were not recorded, it is always all of the domain.
        keep: names of layers that stay in float in artifacts of int8.
        choose: whether of each format only the smallest artifact is kept that keeps its budget and its promises.
    """

    names: tuple[str, ...] = (FLOAT32,)
    budgets: Budgets = field(default_factory=Budgets)
    io: str = IO[0]
    calibration: str = CALIBRATIONS[0]
    choose: bool = False
    keep: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        names: Iterable[str] | str | None,
        budget: Iterable[str] | str | None,
        io: str | None = None,
        calibration: str | None = None,
        keep: Iterable[str] | str | None = None,
    ) -> Precisions:
        """The precisions that a list or a text such as `float32,int8` names, and budgets such as `sqnr=35dB`.

        Raises:
            UsageError: a precision does not exist, the budget cannot be read, or no precision has integer inputs.
        """
        texts = names.split(",") if isinstance(names, str) else names or ()
        given = tuple(dict.fromkeys(text.strip() for text in texts))
        choose = AUTO in given
        if choose and len(given) > 1:
            raise UsageError(f"{AUTO!r} chooses among all precisions", got=",".join(given), expected=AUTO)
        for name in given:
            require_known(name, (*PRECISIONS, AUTO), f"unknown precision {name!r}")
        given = PRECISIONS if choose else given
        budgets = Budgets.of(budget)
        if budgets.texts and not {*given} - {FLOAT32}:
            raise UsageError(
                f"the budget {budgets.texts[0]!r} is of no artifact",
                got=f"the precision {FLOAT32}",
                expected="a small precision that must keep it",
                hint=f"--precision {', '.join(each for each in PRECISIONS if each != FLOAT32)}",
            )
        io, calibration = io or IO[0], calibration or CALIBRATIONS[0]
        require_known(io, IO, f"unknown inputs and outputs {io!r}")
        require_known(calibration, CALIBRATIONS, f"unknown calibration {calibration!r}")
        if io == "int" and not set(given) & set(INTEGER):
            raise UsageError(
                "none of the precisions has integer inputs and outputs",
                got=", ".join(given) or FLOAT32,
                expected=" or ".join(INTEGER),
                hint=f"--precision {INTEGER[-1]}",
            )
        if calibration == CALIBRATIONS[1] and not set(given) & set(INTEGER):
            raise UsageError(
                "none of the precisions has ranges to calibrate",
                got=", ".join(given) or FLOAT32,
                expected=" or ".join(INTEGER),
                hint=f"--precision {INTEGER[-1]}",
            )
        kept = (keep,) if isinstance(keep, str) else tuple(dict.fromkeys(keep or ()))
        if kept and (choose or MIXABLE not in given):
            raise UsageError(
                "only int8 keeps some layers in float" if not choose else f"{AUTO!r} itself chooses the layers to keep",
                got=f"--keep {kept[0]}" + f" --precision {AUTO if choose else ','.join(given) or FLOAT32}",
                expected=f"--precision {MIXABLE} --keep {kept[0]}",
            )
        return cls(given or (FLOAT32,), budgets, io, calibration, choose, kept)
