"""The report as one HTML file that needs no network: what all commands' pages are made of."""
