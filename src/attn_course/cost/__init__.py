"""What attention costs: steps, bytes, time."""
