"""The live engine, measured: `bin/bench live`. Its topics are its own; it knows no tool."""
