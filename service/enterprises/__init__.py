"""The enterprises on file: who they are and by which names their people are known."""
