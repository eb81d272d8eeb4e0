"""Conversations: messages that two neighbours keep."""
