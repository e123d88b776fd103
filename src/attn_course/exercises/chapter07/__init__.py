"""The exercises of chapter 7: what attention costs."""
