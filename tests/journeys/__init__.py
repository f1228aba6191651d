"""The whole story, against a running demo."""
