"""Measurements behind the claims of the documentation; see README.md here."""
