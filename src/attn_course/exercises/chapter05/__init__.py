"""The exercises of chapter 5: seeing attention."""
