"""The exercises of chapter 6: many heads."""
