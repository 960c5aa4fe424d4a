"""How long one answer takes with 300 open tickets: `python evals/latency.py --data DIR --cache DIR`."""

import argparse
import resource
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np

from quell.core.reading import OpenTicket
from quell.ml.engine import open_engine
from quell.ml.training.scenario import read_scenarios
from quell.ml.training.states import correction_of

OPEN_TICKETS, CORRECTED, ASKED = 300, 200, 200


def main() -> None:
    """Print the percentiles in milliseconds and the peak of memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="holds the folder scenarios")
    parser.add_argument("--cache", type=Path, default=Path(".quell/training"))
    options = parser.parse_args()
    scenarios = read_scenarios(options.data / "scenarios")
    own = next(s for s in scenarios if s.name == "northwind-hospital")
    engine = open_engine(options.cache)
    engine.fit(own.company)
    for message in own.messages[:CORRECTED]:
        engine.learn(message, correction_of(message, own.truths[message.id], None))
    now = own.messages[-1].at
    others = [m for s in scenarios if s is not own for m in s.messages][:OPEN_TICKETS]
    tickets = [
        OpenTicket(number, now - timedelta(minutes=number), (replace(m, at=now - timedelta(minutes=number)),))
        for number, m in enumerate(others, 1)
    ]
    engine.propose(own.messages[CORRECTED], tickets, now)  # the first answer reads the tickets' members
    taken = []
    for message in own.messages[CORRECTED : CORRECTED + ASKED]:
        started = time.process_time()
        engine.propose(replace(message, at=now), tickets, now)
        taken.append(1000 * (time.process_time() - started))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    p50, p99 = np.percentile(taken, [50, 99])
    load = f"{OPEN_TICKETS} open tickets, {CORRECTED} corrected"
    print(f"| {load} | p50 {p50:.0f} ms | p99 {p99:.0f} ms | {memory:.0f} MiB |")


if __name__ == "__main__":
    main()
