"""Recipes: the settings of a training run, read and checked."""
