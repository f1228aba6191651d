"""Pages of strangers are limited in rate; no test shall meet the limits of the one before."""

import pytest


@pytest.fixture(autouse=True)
def fresh_limits(empty_cache: None) -> None:
    """Whatever was counted is forgotten."""
