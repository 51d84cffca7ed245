"""`make bench`: how long it takes to share out 10,000 instances among 10 phases."""

import sys
import time
from statistics import median

from rollbacks.shares import shares

INSTANCES, PHASES, RUNS, MOST_MILLISECONDS = 10_000, 10, 20, 200


def test_ten_thousand_instances_in_ten_phases() -> None:
    part = INSTANCES // PHASES
    phases = [[f"i{n}" for n in range(k * part, (k + 1) * part)] for k in range(PHASES)]
    active = [f"i{n}" for n in range(INSTANCES // 2, INSTANCES + INSTANCES // 2)]
    took = []
    for _ in range(RUNS):
        began = time.perf_counter()
        found = shares(phases, active)
        took.append((time.perf_counter() - began) * 1000)
    assert sum(len(share.every) for share in found) == len(active)
    figures = f"{median(took):.1f} ms, worst {max(took):.1f}"
    sys.stdout.write(f"\n{INSTANCES} instances, {PHASES} phases: {figures}\n")
    assert median(took) <= MOST_MILLISECONDS
