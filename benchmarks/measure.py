"""A row of the table, and how its two figures are taken."""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

REPETITIONS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`ours` and `other` are CPU milliseconds, or what the name says; `goal` is the highest ratio that is well."""

    name: str
    ours: float
    other: float
    other_is: str
    goal: float

    @property
    def ratio(self) -> float:
        return self.ours / self.other

    @property
    def holds(self) -> bool:
        return self.ratio <= self.goal

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "ours": round(self.ours, 3),
            "other": round(self.other, 3),
            "other_is": self.other_is,
            "ratio": round(self.ratio, 4),
            "goal": self.goal,
            "holds": self.holds,
        }


def medians(
    ours: Callable[[], float], other: Callable[[], float], *, repetitions: int = REPETITIONS
) -> dict[str, float]:
    """Run both in turn, so that what else the machine does falls on both alike."""
    pairs = [(ours(), other()) for _ in range(repetitions)]
    return {"ours": median(pair[0] for pair in pairs), "other": median(pair[1] for pair in pairs)}


def cpu_of(work: Callable[[], object]) -> Callable[[], float]:
    """A measurement of this process: CPU milliseconds, with nothing left over for the collector from before."""

    def measure() -> float:
        gc.collect()
        started = time.process_time()
        work()
        return (time.process_time() - started) * 1000

    return measure
