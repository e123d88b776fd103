"""The exercises of chapter 8: attention in tiles."""
