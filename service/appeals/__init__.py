"""Appeals (诉求): filed, numbered, dispatched, due on a working day, and never forgotten."""
