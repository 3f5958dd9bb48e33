"""Parts of report.html, one HTML file without network access, shared by all commands."""
