"""What people type who know other tools: where a command or option is not there, the error says what does the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import click
from click.exceptions import BadOptionUsage, MissingParameter, NoSuchOption

from kexport.errors import KexportError, UsageError, nearest

_SMALL = "kexport build MODEL --precision int8 --samples FILE writes a small precision, or auto"
_WRITE = "kexport build MODEL --formats onnx,tflite writes the model in these formats, and checks them"
_TIMES = "kexport build MODEL --precision auto --budget latency=2ms measures the time of a call"
_VERIFY = "kexport verify BUNDLE checks a bundle on this machine"
_RUN = "kexport run BUNDLE --input FILE computes outputs; in Python it is kexport.load(BUNDLE)"
_SHOW = "kexport inspect BUNDLE|FILE shows what is in it"
#: By what is typed: what does it.
_COMMANDS: Mapping[str, str] = {
    **dict.fromkeys(("benchmark", "bench", "profile", "time", "latency"), _TIMES),
    **dict.fromkeys(("quantize", "quantise", "compress", "optimize", "optimise", "prune"), _SMALL),
    **dict.fromkeys(("convert", "export", "save", "to-onnx", "onnx", "tflite", "make", "compile"), _WRITE),
    **dict.fromkeys(("check", "test", "validate", "prove"), _VERIFY),
    **dict.fromkeys(("predict", "infer", "serve", "load", "eval", "evaluate"), _RUN),
    **dict.fromkeys(("info", "show", "summary", "describe", "print", "view", "cat"), _SHOW),
    **dict.fromkeys(("debug", "bisect", "explain", "locate", "localize"), "kexport localise BUNDLE finds the layer"),
    **dict.fromkeys(("ls", "models", "layers", "formats", "runtimes"), "kexport list models|layers|formats|runtimes"),
    **dict.fromkeys(("install", "setup", "env", "status"), "kexport doctor tells what is installed"),
    "completions": "kexport completion bash|zsh|fish",
    "version": "kexport --version",
    "help": "kexport --help, or kexport COMMAND --help",
}
_JSON = "--json prints it on standard output: kexport ... --json > report.json"
_LIMIT = "--tolerance OUTPUT=LIMIT declares a limit, such as --tolerance 'y=1e-4: 12-bit sensor'"
_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "--format": ("--formats",),
    "--output": ("--out", "--witness", "--json"),
    "--output-dir": ("--out",),
    "--out": ("--output", "--witness"),
    "--data": ("--samples", "--input"),
    "--dataset": ("--samples", "--input"),
    "--inputs": ("--input", "--domain"),
    "--range": ("--domain",),
    "--quantize": ("--precision",),
    "--quantization": ("--precision",),
    "--dtype": ("--precision",),
    "--int8": ("--precision",),
    "--fp16": ("--precision",),
    "--runtimes": ("--runtime",),
    "--backend": ("--runtime",),
    "--device": ("--runtime",),
    "--custom-objects": ("--import",),
    "--param": ("--set",),
    "--threshold": ("--tolerance",),
    "--xml": ("--junit",),
    "--plot": ("--plots",),
    "--budget": ("--search", "--max-drop"),
    "--trials": ("--search",),
    "--samples": ("--input",),
    "--promise": ("--contract",),
}
_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("--atol", "--rtol", "--tol"), _LIMIT),
    **dict.fromkeys(("--report", "--json-file"), _JSON),
    **dict.fromkeys(("--force", "--overwrite"), "leave it out: a build takes the place of the bundle in its folder"),
    **dict.fromkeys(("--quiet", "--silent"), "leave it out; 2>/dev/null hides the progress"),
    **dict.fromkeys(("--verbose", "--debug"), "leave it out: every check is shown, and --json has all figures"),
    **dict.fromkeys(("--shape", "--input-shape", "--batch-size"), "leave it out: sizes follow from the model"),
    "--html": "kexport report BUNDLE --html FILE writes a page, and so do build, verify, compare and localise",
}


def unknown_command(name: str, names: Sequence[str]) -> UsageError:
    """The error for a subcommand that is not there: with the one that does what is meant, or the nearest."""
    hint = _COMMANDS.get(name.lower()) or nearest(name, names)
    return UsageError(f"unknown command {name!r}", expected="one of " + ", ".join(names), hint=hint)


def as_ours(error: click.ClickException) -> KexportError:
    """An error in the command line as an error with subject, expected value and hint."""
    context = getattr(error, "ctx", None)
    command = "kexport" if context is None or context.parent is None else f"kexport {context.info_name}"
    usage = f"{command} --help tells all"
    if isinstance(error, NoSuchOption):
        return _no_such_option(error, command, () if context is None else _options_of(context))
    if isinstance(error, MissingParameter) and error.param is not None:
        example = next(iter(getattr(context.command, "examples", ())), usage) if context is not None else usage
        subject = f"{command} lacks {error.param.make_metavar(context) if context else error.param.name}"
        if isinstance(error.param, click.Option):
            subject = f"{command} lacks {error.param.opts[0]}"
        return UsageError(subject, hint=f"for example {example}")
    if isinstance(error, click.BadParameter) and error.param is not None:
        name, kind = error.param.opts[0], error.param.type
        expected = _range(kind) if isinstance(kind, click.IntRange | click.FloatRange) else ""
        got = re.search(r"'[^']*'|(?<![\w.])-?[\d.]+(?:e[-+]?\d+)?", error.message)
        if expected and got:
            return UsageError(f"{name} cannot be read", got=got[0].strip("'"), expected=expected, hint=usage)
        return UsageError(f"{name}: {error.message}", hint=usage)
    if isinstance(error, BadOptionUsage) and "argument" in error.message:
        return UsageError(f"{error.option_name} has no value", expected="a value after it", hint=usage)
    if more := re.match(r"Got unexpected extra arguments? \((.*)\)", error.format_message()):
        return UsageError(f"{command} takes fewer arguments", got=f"{more[1]} besides", hint=usage)
    return UsageError(f"{command}: {error.format_message()}", hint=usage)


def _range(kind: click.IntRange | click.FloatRange) -> str:
    """The numbers that an option takes, in words."""
    what = "a whole number" if isinstance(kind, click.IntRange) else "a number"
    if kind.min is None:
        return what
    return f"{what} from {kind.min:g}" + ("" if kind.max is None else f" to {kind.max:g}")


def _options_of(context: click.Context) -> list[str]:
    return [each for parameter in context.command.get_params(context) for each in parameter.opts if each[:2] == "--"]


def _no_such_option(error: NoSuchOption, command: str, options: Iterable[str]) -> UsageError:
    name, known = error.option_name, [*options]
    meant = [each for each in _OPTIONS.get(name, ()) if each in known]
    if meant:
        hint = f"did you mean {meant[0]}?"
    elif name in _WORDS:
        hint = _WORDS[name]
    else:
        near = nearest(name, known)
        hint = near if near.startswith("did you mean") else f"{command} --help tells all"
    return UsageError(f"{command} has no option {name}", hint=hint)
