"""Makers of data: what models are asked to do."""
