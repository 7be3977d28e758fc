"""Programs that show secant at work; see README.md here."""
