"""Made-up people, enterprises, conversations and appeals, to try the desk with before anything real is there."""
