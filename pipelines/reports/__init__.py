"""Reports of a run: progress, totals, contact sheet, card, report.html."""
