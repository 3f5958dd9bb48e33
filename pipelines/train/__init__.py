"""`maskgen train`: a recogniser trained on the lists."""
