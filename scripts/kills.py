"""Kill commands at random moments, and judge what they leave: `python scripts/kills.py --count 1000`.

Every build replaces one of two versions of a bundle by the other. It is ended by KILL, TERM or INT, sent to the process
or to all of its group: at any moment, or around the exchange of the two bundles; sometimes beside another build, of
the same bundle or of one with a similar name. After each, the target must be one whole version, the message must be
true, and two seconds later no process may be left. Every tenth build is left to end; after it nothing may be left of
the others. The processes are forks of this one, which has imported TensorFlow.

With `--readers`, the commands that read a bundle are killed instead: `verify`, with a search and without, `compare`,
`run`, `inspect` and `localise`. With `--precision`, the builds write small precisions too.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from kill_cases.builds import Campaign
from kill_cases.commands import drawn
from kill_cases.readers import ReadersCampaign


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a campaign; 1 when something was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--readers", action="store_true", help="kill the commands that read a bundle")
    parser.add_argument("--precision", default="float32", help="what the builds write (%(default)s)")
    options = parser.parse_args(arguments)
    from kexport.factory.tensorflow_workers import import_tensorflow

    import_tensorflow()
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        campaign = ReadersCampaign(Path(folder)) if options.readers else Campaign(Path(folder), options.precision)
        for kill in drawn(options.count, options.seed):
            campaign.run(kill)
            if kill.number % 50 == 0:
                print(f"{kill.number} kills, {len(campaign.faults)} faults", flush=True)
    for name, count in sorted(campaign.counts.items()):
        print(f"{count:5}  {name}")
    print(f"{options.count} kills, {len(campaign.faults)} faults")
    return bool(campaign.faults)


if __name__ == "__main__":
    sys.exit(main())
