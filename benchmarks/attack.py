"""Attack the program: damaged pictures, containers, state files, checkpoints and trainings, wrong command lines, kills.

    python benchmarks/attack.py                      # all of it, at full scale: an hour or two
    python benchmarks/attack.py --scale 0.05         # a twentieth
    python benchmarks/attack.py --only kills --minutes 20
    python benchmarks/attack.py --only kills --first 100          # from this try on, or from the start of its row

Every damage is drawn from the seed and its number, so a fault is shown again by the same command. Each try must have
one outcome: a result, or one reason or sentence. A traceback, a hang or a changed result is a fault; faults are listed
with their numbers, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from attacks.containers import attack_containers
from attacks.kills import IN_A_ROW, Kills
from attacks.lines import attack_lines
from attacks.pictures import attack_pictures
from attacks.state import attack_state, attack_training
from attacks.tries import HANG, Tally, tries

from maskgen.core.quiet import quieten

COUNTS = {"pictures": 5000, "containers": 500, "state": 500, "training": 100, "lines": 300, "kills": 200}


def attack_kills(tally: Tally, count: int, until: float, seed: int, folder: Path) -> None:
    """Kill every command at random moments, see attacks/kills.py."""
    kills = Kills(folder)
    tally.first -= tally.first % IN_A_ROW
    tries(tally, count, until, kills.one, seed)


ATTACKS = {
    "pictures": attack_pictures,
    "containers": attack_containers,
    "state": attack_state,
    "training": attack_training,
    "lines": attack_lines,
    "kills": attack_kills,
}


def main() -> int:
    """Attack, and tell of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the tries")
    parser.add_argument(
        "--only", choices=sorted(ATTACKS), action="append", help="this part; may be given several times"
    )
    parser.add_argument("--minutes", type=float, default=60.0, help="that a part may take")
    parser.add_argument("--first", type=int, default=0, help="number of the first try of each part")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    quieten()
    faults: list[str] = []
    for name in args.only or ATTACKS:
        begun = time.monotonic()
        tally = Tally(name, args.first, 10 * HANG if name == "kills" else HANG)
        here = Path.cwd()
        with tempfile.TemporaryDirectory() as folder:
            count = max(1, round(COUNTS[name] * args.scale))
            ATTACKS[name](tally, count, begun + 60 * args.minutes, args.seed, Path(folder).resolve())
            os.chdir(here)
        print(tally.line(time.monotonic() - begun), flush=True)
        faults += tally.faults
    print("\n".join(faults[:50]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
