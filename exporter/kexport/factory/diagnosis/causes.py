"""What a line of user code does that makes a model something else than a function, in words."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Sequence
from dataclasses import replace

from kexport.code_places import CodePlace, is_user_code
from kexport.factory.diagnosis.steps import Parting, Step, mutation
from kexport.factory.trace.explanation import Cause

_RANDOM = re.compile(
    r"random|\brng\b|\brand(n|int|om)?\(|normal\(|uniform\(|shuffle|uuid|secrets|urandom|getrandbits|choice\(|sample\("
    r"|nn\.\w*dropout\("
)
_CLOCK = re.compile(
    r"\btime\.\w*time|\btime\(\)|perf_counter|process_time|monotonic(_ns)?\(|datetime|timestamp|time_ns|\.now\("
)
_OUTSIDE = re.compile(r"environ|getenv|\bopen\(|read_text|read_bytes|np\.load|getpid|gethostname")
_NUMPY = re.compile(r"\bnp\.|\bnumpy\b|\.numpy\(")
_SIZE = re.compile(r"shape\b|\blen\(|\breshape\(|\bbatch")
_EAGERLY = re.compile(r"executing_eagerly|inside_function|EagerTensor|SymbolicTensor|is_symbolic|hasattr|isinstance")
_KEEPING = re.compile(r"\b(self|cls)\.\w+(\[.*\])? *([-+*/]?=)[^=]|\.append\(|\.update\(|\bglobal \w")
READING = re.compile(
    r"environ|getenv|(?<![\w.])open\(|read_text|read_bytes"
    r"|\btime\.(local|gm|c|strf)time\(|\btime\.time\(|datetime\.(now|today|utcnow)\(|date\.today\("
)
_ITERATING = re.compile(r"\bnext\(\s*(self|cls)\.|\.pop\w*\(|\.rotate\(")
_STATE = "state is an input and an output of the model, or a weight that the layer assigns to"
_TRAINING = re.compile(r"training\s*=\s*True")


def of_changing(parted: Parting | None, steps: Sequence[Step], kinds: Sequence[type], *, seeded: bool) -> Cause:
    """Why two calls on one input differ; `seeded` says that the layer has a generator of random numbers."""
    place = parted.place if parted else suspicious(kinds, (_RANDOM, _CLOCK, _OUTSIDE)) or definition(kinds)
    text = place.text if place else ""
    changed = mutation(steps)
    if _RANDOM.search(text):
        how = " with NumPy" if _NUMPY.search(text) else ""
        return Cause(
            f"draws random numbers{how} at inference", "draw only `if training:`, or make the numbers an input", place
        )
    if _TRAINING.search(text):
        return Cause("works as in training: training=True", "pass on the `training` argument of its own `call`", place)
    if seeded and (parted is None or not parted.names or changed is None):
        return Cause(
            "draws random numbers at inference",
            "draw only `if training:`, or make the numbers an input; call a layer without training=True",
            place,
        )
    if _CLOCK.search(text):
        return Cause("reads the clock at inference", "make the time an input of the model", place)
    if _OUTSIDE.search(text):
        return Cause("reads something outside of the model", "make it an input or a weight of the model", place)
    if changed is not None:
        where, name = changed
        return Cause(
            f"keeps Python state from call to call: {name.removeprefix('global ')} changes",
            _STATE,
            where,
        )
    if _ITERATING.search(text):
        return Cause("keeps Python state from call to call: it takes the next of something each time", _STATE, place)
    if parted is not None and (hidden := suspicious(kinds, (_RANDOM, _CLOCK, _OUTSIDE))) not in (None, place):
        return of_changing(replace(parted, place=hidden, names=()), steps, kinds, seeded=seeded)
    hint = "what changes from call to call must be an input of the model"
    return Cause("gives another result each time", hint, place)


def of_keeping(kinds: Sequence[type]) -> Cause | None:
    """Why a later call differs from the first, where calling the layer again does not show it; None if unknown."""
    place = suspicious(kinds, (_KEEPING,))
    if place is None:
        return None
    return Cause("keeps a value of one call for later ones", "compute it in each call, or keep it as a weight", place)


def of_neighbours(parted: Parting | None, kinds: Sequence[type]) -> Cause:
    """Why a sample's result depends on the others of its batch."""
    place = parted.place if parted else definition(kinds)
    if place and _RANDOM.search(place.text):
        return Cause(
            "draws the same random numbers in each call: a result depends on its place in the batch",
            "draw only `if training:`, or make the numbers a weight without a batch axis",
            place,
        )
    return Cause(
        "mixes the samples of a batch: a result depends on its neighbours",
        "reduce over the axes of a sample only (not axis 0), or keep statistics of the batch as weights",
        place,
    )


def of_tracing(parted: Parting | None, steps: Sequence[Step], kinds: Sequence[type], identity: bool) -> Cause:
    """Why a traced call gives something else than an eager one."""
    place = parted.place if parted else suspicious(kinds, (_RANDOM, _NUMPY)) or definition(kinds)
    text = place.text if place else ""
    also = ": it passes its input on unchanged" if identity else ""
    if _RANDOM.search(text) or _CLOCK.search(text):
        return Cause(f"takes a value from outside the model when it is traced{also}", "make it an input", place)
    if parted is not None and parted.branched:
        asks = "asks whether it runs eagerly, and " if _EAGERLY.search(text) else ""
        return Cause(
            f"{asks}takes another way when it is traced{also}",
            "keras.ops.where or keras.ops.cond chooses by data; nothing else may depend on how the layer runs",
            place,
        )
    if _NUMPY.search(text):
        return Cause(f"computes with NumPy what a trace keeps as a constant{also}", "use keras.ops", place)
    if (changed := mutation(steps)) is not None:
        return Cause(
            f"keeps a value of one call for later ones: {changed[1].removeprefix('global ')}{also}",
            "compute it in each call, or keep it as a weight",
            changed[0],
        )
    if _SIZE.search(text):
        return Cause(
            f"fixes a size that differs from call to call{also}",
            "keras.ops.shape(x)[0] is the size of the batch in every call; reshape takes -1",
            place,
        )
    if place is None:  # no code of the user's is in it
        return Cause(
            f"is computed otherwise by TensorFlow in a graph{also}",
            "no code of your own does that, but an operation of TensorFlow or its optimiser of graphs: other settings, "
            "or another order, of the layers may not need it",
        )
    return Cause(
        f"computes something else when it is traced{also}",
        "a Python value is fixed when the layer is traced: compute with keras.ops on tensors",
        place,
    )


def definition(kinds: Sequence[type]) -> CodePlace | None:
    """The line on which the user's `call` begins."""
    for kind in kinds:
        code = getattr(inspect.unwrap(vars(kind).get("call", None) or (lambda: None)), "__code__", None)
        if code is not None and is_user_code(code.co_filename) and code.co_name == "call":
            return CodePlace(code.co_filename, code.co_firstlineno)
    return None


def suspicious(kinds: Sequence[type], patterns: Sequence[re.Pattern[str]]) -> CodePlace | None:
    """The first statement in the methods of the user's classes that one of the patterns fits."""
    for kind in kinds:
        try:
            path = inspect.getsourcefile(kind) or ""
            if not is_user_code(path):
                continue
            lines, start = inspect.getsourcelines(kind)
            tree = ast.parse(textwrap.dedent("".join(lines)))
        except (OSError, TypeError, SyntaxError):
            continue
        for method in ast.walk(tree):
            if isinstance(method, ast.FunctionDef) and method.name not in ("__init__", "build", "get_config"):
                simple = (each for each in ast.walk(method) if isinstance(each, ast.stmt) and not hasattr(each, "body"))
                for statement in sorted(simple, key=lambda each: each.lineno):
                    if any(pattern.search(ast.unparse(statement)) for pattern in patterns):
                        return CodePlace(path, start + statement.lineno - 1)
    return None
