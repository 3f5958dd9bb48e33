"""The program's own landmark model, and the choice of a landmark model by name."""
