"""The exercises of chapter 3: query, key, value."""
