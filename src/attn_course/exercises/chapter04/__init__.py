"""The exercises of chapter 4: self-attention."""
