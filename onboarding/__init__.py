"""Onboarding: how accounts of other companies become reachable, and stay safe to reach."""
