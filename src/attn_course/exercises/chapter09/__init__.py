"""The exercises of chapter 9: the parts of today's models."""
