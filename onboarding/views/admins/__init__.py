"""The pages of platform admins, one module for each matter."""
