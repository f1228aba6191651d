"""The demo as a newcomer starts, stops and kills it."""
