"""What a person sees of a run: progress, totals, contact sheet."""
