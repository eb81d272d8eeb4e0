"""Tools: what neighbours lend."""
