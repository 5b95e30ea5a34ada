"""Matching: one enterprise against every item, each condition met, failed or unknown."""
