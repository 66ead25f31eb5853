"""Judges: language models asked whether a prediction answers the question, and how far to trust them."""
