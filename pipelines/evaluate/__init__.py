"""`maskgen evaluate`: verification on pairs, identification on a gallery."""
