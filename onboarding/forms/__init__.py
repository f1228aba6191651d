"""Where values from outside become types; a form saves nothing."""
