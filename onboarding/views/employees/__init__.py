"""Pages for employees."""
