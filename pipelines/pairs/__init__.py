"""`maskgen pairs`: training lists and test pairs."""
