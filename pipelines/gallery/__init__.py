"""`maskgen gallery`: a gallery of real people, bare and masked."""
