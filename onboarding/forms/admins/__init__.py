"""The forms of platform admins: each turns what was typed into the details that a service takes."""
