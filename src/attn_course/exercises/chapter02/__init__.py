"""The exercises of chapter 2: the bottleneck."""
