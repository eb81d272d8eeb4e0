"""Who is let in, sent away and given a role, and what that means for tools and loans."""
