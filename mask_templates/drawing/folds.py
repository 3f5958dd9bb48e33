"""What a wearer does to cloth: folds, wrinkles, creases."""

from __future__ import annotations

import cv2
import numpy as np

from .fields import ACROSS, SIDE, Field, U, V, noise, step


def tension(seed: int, strength: float, count: int = 9, nose: int = 1) -> Field:
    """Folds that cloth throws where it is pulled: from the loops' ends inward, some from the nose's sides down, there
    with `nose` 1 toward the middle, where they may cross, with -1 away from it."""
    rng = np.random.default_rng(seed)
    height = np.zeros((SIDE, SIDE))
    x, y = 2.2 * U, V
    for number in range(count):
        side, lower = number % 2, (number // 2) % 3
        if lower < 2:
            begin = np.array([2.15 if side else 0.05, 0.92 if lower else 0.10])
            toward = (-1 if lower else 1) * rng.uniform(0.05, 0.75)
        else:
            begin = np.array([1.1 + (0.3 if side else -0.3) * rng.uniform(0.5, 1.3), 0.12])
            toward = rng.uniform(0.9, 1.5)
            toward = toward if nose > 0 else np.pi - toward
        c, s = (-1 if side else 1) * np.cos(toward), np.sin(toward)
        along, off = (x - begin[0]) * c + (y - begin[1]) * s, -(x - begin[0]) * s + (y - begin[1]) * c
        off = off + rng.normal() * 0.25 * along**2 + 0.012 * noise(seed + number, 60)
        width, length = rng.uniform(0.03, 0.07), rng.uniform(0.3, 0.8)
        fold = np.tanh(2.5 * off / width) * np.exp(-((off / (2.2 * width)) ** 2))
        if number % 3 == 0:
            fold = np.exp(-((off / width) ** 2))
        height += fold * step(along, 0.12, 0.25) * np.exp(-((along / length) ** 2))
    return np.asarray(strength * height)


def wrinkles(seed: int, strength: float) -> Field:
    """Soft creases that run mostly across."""
    field = np.random.default_rng(seed).normal(size=(SIDE, SIDE))
    field = cv2.GaussianBlur(field, (0, 0), sigmaX=90, sigmaY=22)
    return np.asarray(strength * field / field.std())


def crumpled(seed: int, strength: float) -> Field:
    """Flat facets between sharp creases, as in paper that was folded and smoothed out; they run mostly across."""
    field = np.random.default_rng(seed).normal(size=(SIDE, SIDE))
    field = cv2.GaussianBlur(field, (0, 0), sigmaX=85, sigmaY=42)
    return np.asarray(-strength * np.abs(field / field.std()) * (1 - step(ACROSS, 0.93, 0.03)))


def uneven(seed: int) -> Field:
    """0.25..1.15, different from place to place along a fold: here it stands open, there it lies flat."""
    return np.asarray(np.clip(0.7 + 0.35 * noise(seed, 110), 0.25, 1.15))


def draped(seed: int, steep: float) -> Field:
    """Folds of a cloth that hangs from both cheeks: they run down and inward, deeper toward the lower edge."""
    slant = U + steep * np.sign(0.5 - U) * (V - 0.5) * ACROSS
    across = np.random.default_rng(seed).normal(size=SIDE)
    across = cv2.GaussianBlur(across[None], (0, 0), 22)[0]
    fold = np.interp(slant.ravel() * SIDE, np.arange(SIDE), across / across.std()).reshape(SIDE, SIDE)
    return np.asarray(fold * (0.25 + 0.75 * step(V, 0.45, 0.35)))
