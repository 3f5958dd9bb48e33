"""`maskgen kinds`: the mask kinds and their previews."""
