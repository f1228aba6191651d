"""The forms in which a partner may make the role: one module for each, from the same `WantedRole`."""

from onboarding.core.handoff.wanted import WantedRole

__all__ = ["WantedRole"]
