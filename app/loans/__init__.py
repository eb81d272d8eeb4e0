"""Loans: one request and what became of it."""
