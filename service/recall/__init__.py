"""Recall: which answers, lists and open appeals rest on a clause that says something else by now."""
