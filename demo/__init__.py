"""The demo: every process that the portal needs, under one supervisor, with a sample organization."""
