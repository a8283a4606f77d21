"""Judge models with one bad layer each, and say whether the layer, the cause and the line were named.

    python scripts/bad_models.py [NAME ...] [--verbose]

The models are the files of scripts/model_cases. Nothing is exported: what a build finds in Keras alone is compared with
what the file says. Exit code 1 when something is not named. About a second a model.
"""

from __future__ import annotations

import argparse
import sys
import warnings

from measurements import quiet_environment


def main(arguments: list[str] | None = None) -> int:
    """Judge the models that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--verbose", action="store_true", help="print what was said of each model")
    options = parser.parse_args(arguments)
    quiet_environment()
    warnings.simplefilter("ignore")
    from model_cases import _judgement

    names = options.names or _judgement.names()
    named = 0
    for name in names:
        case = _judgement.case(name)
        said = _judgement.judgement(case.module.model())
        missing = case.missing(said)
        named += not missing
        print(f"{name}: {said.outcome}" + (f"; not said: {', '.join(missing)}" if missing else ""), flush=True)
        if options.verbose or missing:
            print("    " + said.text.replace("\n", "\n    "), flush=True)
    print(f"{named} of {len(names)} named")
    return 0 if named == len(names) else 1


if __name__ == "__main__":
    sys.exit(main())
