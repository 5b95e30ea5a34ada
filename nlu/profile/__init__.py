"""Reading the facts of an enterprise out of what its people say."""
