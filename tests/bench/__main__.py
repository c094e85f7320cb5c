# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""python tests/bench [--full] [--rounds N] [--to FOLDER] [BENCH ...]: all benches, or those named; a page of all.

It is run by `nox -s bench` at the smallest sizes, by `make bench` at the full ones, as root. It judges nothing.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import controller
import enforce
import fleets
import page
import payload
import plays
import rearmed
import sockets
from figures import Part, say

BUILD = Path(__file__).resolve().parents[2] / ".build" / "bench"

BENCHES = {
    "plays": plays.bench,
    "fleets": fleets.bench,
    "node": sockets.bench,
    "rearmed": rearmed.bench,
    "enforce": enforce.bench,
    "payload": payload.bench,
    "controller": controller.bench,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests/bench", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--full", action="store_true", help="the sizes of docs/benchmarks.md, which take half an hour")
    parser.add_argument("--rounds", type=int, help="how often each is measured (3 with --full, else 1)")
    parser.add_argument(
        "--to", type=Path, default=BUILD, help="the folder of benchmarks.md and its plots (.build/bench)"
    )
    parser.add_argument("benches", nargs="*", metavar="BENCH", help=f"{', '.join(BENCHES)}; all by default")
    options = parser.parse_args()
    unknown = set(options.benches) - set(BENCHES)
    if unknown:
        parser.error(f"{', '.join(sorted(unknown))}: no such bench. There are {', '.join(BENCHES)}.")
    if os.geteuid() != 0:
        parser.error("Nodes are network and mount namespaces, which only root makes: run it as root.")
    rounds = options.rounds or (3 if options.full else 1)
    ran_on = page.ran_on(options.full, rounds)
    parts: dict[str, Part] = {}
    for name in options.benches or BENCHES:
        parts[name] = BENCHES[name](options.full, rounds)
    if len(parts) < len(BENCHES):
        print("\n\n".join(text for part in parts.values() for text in part.texts.values()))
    else:
        for path in page.write(parts.values(), ran_on, options.to):
            say(f"written: {path}")


if __name__ == "__main__":
    main()
