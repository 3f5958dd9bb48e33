"""Lists of what to train on and which pairs to judge on."""
