"""Losses: ArcFace, mined triplets, distillation, and their weighted sum."""
