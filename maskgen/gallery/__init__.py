"""A gallery of real people, bare and masked, as a recognition system registers and probes them."""
