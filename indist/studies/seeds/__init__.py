"""What a single training seed hides."""
