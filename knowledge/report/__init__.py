"""Turns evaluation reports into something to read: one HTML file, or lines for a terminal."""
