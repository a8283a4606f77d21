"""Options that several commands share, each declared once, and the objects that commands get from them."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from kexport.cli import _completion
from kexport.cli._pairs import pairs
from kexport.errors import UsageError

if TYPE_CHECKING:
    from kexport.field.trust import Trust
    from kexport.parity.strictness import Strictness

#: A function that becomes a command, and returns the exit code.
Command = Callable[..., int]
Option = Callable[[Command], Command]


class Seconds(click.FloatRange):
    """A number of seconds that a timer takes: not "nan", which is in every range, nor more than three years."""

    def __init__(self, least: float) -> None:
        super().__init__(min=least, max=1e8)

    def _describe_range(self) -> str:
        return ""  # the help states no bounds: every reasonable number is within them

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number; fails as `click.FloatRange` does."""
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            self.fail(f"{value!r} is not a number of seconds.", param, ctx)
        return number


def _named(context: click.Context, parameter: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names, none of which is empty."""
    if not all(names):
        raise UsageError(
            "a signature was given without a name", got="--signature ''", hint="kexport inspect names them"
        )
    return names


def _single(context: click.Context, parameter: click.Parameter, names: tuple[str, ...]) -> str | None:
    """The only name, if any: the last of several would be taken without a word."""
    _named(context, parameter, names)
    if len(names) > 1:
        raise UsageError(
            "one signature at a time can be used", got=", ".join(names), hint="run the command once for each of them"
        )
    return next(iter(names), None)


_SIGNATURE = (
    "Use this function alone, of a file that holds several: a signature's name. A build takes several, and writes a "
    "bundle of each into a folder."
)
RUNTIMES = click.option(
    "--runtime",
    "runtimes",
    multiple=True,
    metavar="NAME",
    shell_complete=_completion.one_of(_completion.runtimes),
    help="Use only this runtime; may be repeated.",
)
DOMAIN = click.option(
    "--domain",
    multiple=True,
    metavar="INPUT=DOMAIN",
    callback=pairs("'signal=uniform(-5, 5)'"),
    help="The values that an input takes: uniform(LOW, HIGH), normal(MEAN, DEVIATION), ints(LOW, HIGH), "
    "choice(A, B, ...), bins(LOW, EDGE, ..., HIGH), or features(DOMAIN, ...), one for each index along the last axis; "
    "may be repeated.",
)
SAMPLES = click.option(
    "--samples",
    metavar="FILE",
    shell_complete=_completion.path,
    help="Recorded inputs: a .npz with arrays by input name, a .npy or a .csv.",
)
SIGNATURE = click.option(
    "--signature",
    multiple=True,
    metavar="NAME",
    callback=_single,
    help=_SIGNATURE,
)
SIGNATURES = click.option("--signature", "signatures", multiple=True, metavar="NAME", callback=_named, help=_SIGNATURE)
PRECISION = click.option(
    "--precision",
    metavar="NAME[,NAME]",
    shell_complete=_completion.several_of(_completion.precisions),
    help="float32, or a small precision: float16, dynamic, int16x8, int8. A build takes several, and writes float32 "
    "too; or auto, which keeps the smallest that meets the budget. By default float32.",
)
LABELS = click.option(
    "--labels",
    metavar="FILE[:NAME]",
    help="Labels of the samples, for --metric: a .npy, a .csv or column of it (FILE.csv:TITLE), a .npz or array of it "
    "(FILE.npz:NAME). The file of --samples may hold them too: that array or column is then no input.",
)
METRIC = click.option(
    "--metric",
    metavar="[OUTPUT=]METRIC",
    help="Compute this over all recorded samples: accuracy, top5 or f1 (macro), in %; mae or rmse, in the unit of the "
    "labels; or FILE.py:callable (its code runs), which gets (labels, outputs) and returns a number, the larger the "
    "better unless it has the attribute lower_is_better = True.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on standard output.")

_TRUST: Mapping[str, Option] = {
    "imports": click.option(
        "--import",
        "imports",
        multiple=True,
        metavar="FILE|MODULE",
        help="Run this code first: it registers your layers or kinds of contract; may be repeated.",
    ),
    "allow_lambda": click.option(
        "--allow-lambda", is_flag=True, help="Load the Lambda layers of a .keras file, which runs the bytecode in it."
    ),
    "trust": click.option(
        "--trust",
        is_flag=True,
        help="Let a SavedModel run any operation, such as one that writes files; and run without limits.",
    ),
    "seconds": click.option(
        "--max-seconds",
        "seconds",
        type=Seconds(0),
        metavar="SECONDS",
        help="Seconds of each processor core for one call of a model, where that is more than follows from its size.",
    ),
    "max_bytes": click.option(
        "--max-bytes",
        type=click.IntRange(min=0),
        default=0,
        show_default=False,
        metavar="N",
        help="Allow files, and arrays and weights in them, that are larger than usual, up to this many bytes.",
    ),
}
_TOLERANCE = click.option(
    "--tolerance",
    multiple=True,
    metavar="OUTPUT=LIMIT[: REASON]",
    callback=pairs("'y=1e-4: 12-bit sensor'", "OUTPUT=", "kexport inspect tells the names of the outputs"),
    help="A limit in place of the derived one: relative to the output's scale, or a signal-to-error ratio such as "
    "40dB; may be repeated.",
)
_SEED = click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Seed of the search: the same seed finds the same inputs.",
)


def gathered(argument: str, make: Callable[..., object], options: Mapping[str, Option]) -> Option:
    """Give a command several options, whose values it gets as one argument.

    Args:
        argument: its name.
        make: makes it from the options' values, passed as keywords.
        options: the options, by keyword.
    """

    def decorate(function: Command) -> Command:
        @functools.wraps(function)
        def gathering(*args: object, **values: object) -> int:
            values[argument] = make(**{name: values.pop(name) for name in options})
            return function(*args, **values)

        command: Command = gathering
        for option in reversed(list(options.values())):
            command = option(command)
        return command

    return decorate


def trusting(function: Command) -> Command:
    """Give a command `--import`, `--allow-lambda`, `--trust` and `--max-seconds`; it gets `trust`."""
    return gathered("trust", _trust, _TRUST)(function)


def checking(function: Command, search: str | None = None) -> Command:
    """Give a command `--search`, `--seed` and `--tolerance`; it gets `strictness`.

    `search` is the budget of a command that searches without being asked to.
    """
    by_default = f" By default {search}." if search else ""
    budget = click.option(
        "--search",
        metavar="30s|5000",
        default=search,
        show_default=False,
        help=f"Search for the worst input for this long, or for this many evaluations.{by_default}",
    )
    options = {"search": budget, "seed": _SEED, "tolerance": _TOLERANCE}
    return gathered("strictness", _strictness, options)(function)


def listed(option: str, text: str) -> tuple[str, ...]:
    """The names in the value of an option such as `--formats A,B`.

    Raises:
        UsageError: there is none.
    """
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise UsageError(f"{option} is empty", expected=f"names separated by commas: {option} A,B")
    return names


def _trust(imports: tuple[str, ...], seconds: float | None, max_bytes: int, **allowed: bool) -> Trust:
    from kexport.field.trust import Trust

    unrestricted = allowed["trust"]
    return Trust(imports, allowed["allow_lambda"], unrestricted=unrestricted, seconds=seconds, max_bytes=max_bytes)


def _strictness(search: str | None, seed: int, tolerance: dict[str, str]) -> Strictness:
    from kexport.parity.budget import Budget
    from kexport.parity.strictness import Strictness

    return Strictness.of(None if search is None else Budget.parse(search, seed), tolerance)
