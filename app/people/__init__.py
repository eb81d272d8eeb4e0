"""Who is who: people, communities, memberships, sessions."""
