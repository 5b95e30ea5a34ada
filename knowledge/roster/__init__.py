"""Reading a file of enterprises: its columns matched to the field dictionary, each row to facts."""
