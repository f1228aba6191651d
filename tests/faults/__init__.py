"""Real processes that are killed, stopped and starved: nothing is lost, done twice or told wrongly."""
