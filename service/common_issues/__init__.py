"""Common issues (共性问题): open appeals on one matter of many enterprises, answered together."""
