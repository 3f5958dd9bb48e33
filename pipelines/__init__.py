"""What runs over which inputs, on how many workers, and what happened: the commands."""
