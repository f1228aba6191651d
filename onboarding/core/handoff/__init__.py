"""The forms in which a partner may make the role: one module for each, from the same `WantedRole`."""

from onboarding.core.handoff.texts import Form, FormText, text_of
from onboarding.core.handoff.wanted import Permissions, WantedRole, Way

__all__ = ["Form", "FormText", "Permissions", "WantedRole", "Way", "text_of"]
