"""The sample organization: its cast, and how it comes into being."""
