"""ToolShare: neighbours lend each other tools, and everybody sees, live, what is free."""
