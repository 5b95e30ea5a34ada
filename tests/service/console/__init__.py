"""The queries and endpoints behind the console's pages."""
