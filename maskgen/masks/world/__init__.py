"""Masks as people wear them: the counts, what is drawn from them, and how it becomes cloth."""
