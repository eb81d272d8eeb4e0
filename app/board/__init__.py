"""The board: tools and loans seen together."""
