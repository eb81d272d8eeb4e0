"""The tools of a community as a table that other programs open, out and in again."""
