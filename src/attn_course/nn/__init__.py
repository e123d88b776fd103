"""Networks in torch, and how they are trained."""
