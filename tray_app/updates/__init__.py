"""New versions: whether there is one, what has changed, and how this installation gets it. Nothing is downloaded."""
