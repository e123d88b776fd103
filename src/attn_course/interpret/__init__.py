"""What a head does: measures of attention, and how sure they are."""
