"""Three-valued logic (Kleene's): True, False, and None for "cannot be known"."""

from collections.abc import Iterable

Truth = bool | None


def every(truths: Iterable[Truth]) -> Truth:
    """False as soon as one is False; else None where one is unknown. True for none at all."""
    known = True
    for truth in truths:
        if truth is False:
            return False
        known = known and truth is not None
    return True if known else None


def some(truths: Iterable[Truth]) -> Truth:
    """True as soon as one is True; else None where one is unknown. False for none at all."""
    known = True
    for truth in truths:
        if truth is True:
            return True
        known = known and truth is not None
    return False if known else None


def negated(truth: Truth) -> Truth:
    return None if truth is None else not truth
