"""`maskgen play`: a page on this machine to try masks on."""
