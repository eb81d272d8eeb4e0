"""What a person should know: told once, shown in a live bell."""
