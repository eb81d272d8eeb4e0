"""Wanted: what somebody needs and nobody has listed, and who answers that."""
