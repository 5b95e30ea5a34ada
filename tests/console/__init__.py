"""The console's pages in a real Chromium on the real product."""
