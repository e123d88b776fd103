"""The exercises of chapter 1: how humans attend."""
