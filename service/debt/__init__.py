"""Question debt: what could not be answered well, with an owner and a deadline; the signed answers that pay it."""
