"""What several entries of a manifest hold: paths that stay inside of the bundle, and limits of all outputs."""

from __future__ import annotations

from pathlib import PurePosixPath

from kexport.bundle.json_files import list_of, member, object_of, text
from kexport.bundle.json_text import Json, JsonObject
from kexport.bundle.limits import OutputLimit
from kexport.bundle.signature import Signature
from kexport.errors import BundleError

_HINT = "copy the bundle again, or build it again"
_LARGEST = 1e300  # sums of limits must be numbers too


def limits_of(data: JsonObject, signature: Signature) -> tuple[OutputLimit, ...]:
    """The `limits` of an entry, in the order of the outputs: an output without one would never be compared.

    Raises:
        BundleError: a limit is missing, out of order or too many, or is not a number that bounds anything.
        FieldError: one is of the wrong type.
    """
    limits = member(data, "limits", list_of(object_of(OutputLimit.from_json)))
    named, outputs = [limit.output for limit in limits], [spec.name for spec in signature.outputs]
    if named != outputs:
        raise BundleError(
            "the manifest does not have one limit for each output, in their order",
            got=", ".join(map(str, named)) or "no limit",
            expected=", ".join(outputs),
            hint=_HINT,
        )
    for limit in limits:
        numbers = limit.scale, limit.floor, limit.limit, limit.absolute, limit.peak * limit.scale
        if not all(abs(each) <= _LARGEST for each in numbers) or limit.scale <= 0 or limit.limit < 0:
            raise BundleError(
                f"the manifest has an invalid limit for output {limit.output!r}",
                got=f"limit {limit.limit}, scale {limit.scale}, floor {limit.floor}",
                expected=f"numbers of at most {_LARGEST:g}, the scale above 0",
                hint=_HINT,
            )
    return limits


def path_of(value: Json) -> str:
    """The path in an entry, if it stays inside the bundle; raises as `safe_path` and `text` do."""
    return safe_path(text(value))


def safe_path(given: str) -> str:
    """The path itself, if it stays inside the bundle.

    Raises:
        BundleError: it is absolute, empty, or leads out of the folder.
    """
    path = PurePosixPath(given)
    if not given or path.is_absolute() or ".." in path.parts or set("\\:\0") & set(given):
        raise BundleError(
            "the manifest names a path outside its bundle",
            got=given,
            expected="a relative path below the bundle",
            hint="do not use this bundle",
        )
    return given
