"""How fast it is, measured: `bin/bench`. Every figure stands beside its floor of the same run."""
