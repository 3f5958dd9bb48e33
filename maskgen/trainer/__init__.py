"""Training: recipes, networks, losses, data and the loop."""
