"""Drives the web page in a real headless Chromium."""
