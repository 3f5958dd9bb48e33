"""Recipes, models, losses and the loop that trains on manifests."""
