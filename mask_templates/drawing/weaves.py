"""Plain cloth: bonded fleece and weaves, and their stitched edges."""

from __future__ import annotations

import numpy as np

from .fields import ACROSS, THREADS, Field, U, V, bump, dashes, noise


def dots(pitch: float, size: float) -> Field:
    """The embossed points of bonded fleece, in a staggered grid."""
    row = np.floor(V / pitch)
    x, y = (U / pitch + 0.5 * (row % 2)) % 1 - 0.5, (V / pitch) % 1 - 0.5
    return np.asarray(np.exp(-(x**2 + y**2) / size**2))


def fleece(seed: int, rough: float = 1.0) -> tuple[Field, Field]:
    """Bonded fleece: fine fibres and embossed points, as shade (about 1) and height (about 0); `rough` 0.3 for fibres
    and points that hardly show: at 1, fleece looks like felt in a sharp photograph."""
    fibres = rough * noise(seed, 0.8, 4.0)
    points = rough * dots(1 / THREADS, 0.3)
    return 1 + 0.012 * fibres - 0.02 * points, 0.02 * fibres - 0.02 * points


def tabby(seed: int, rough: float = 1.0) -> tuple[Field, Field]:
    """Plain weave of thick threads, as shade and height; `rough` 0.3 for threads and bumps that hardly show, whose
    pattern does not beat with the pixels of a large picture."""
    warp, weft = np.sin(2 * np.pi * U * THREADS), np.sin(2 * np.pi * V * THREADS)
    weave = rough * np.where(np.sin(np.pi * U * THREADS) * np.sin(np.pi * V * THREADS) > 0, warp, weft)
    return 1 + 0.03 * weave + 0.02 * noise(seed, 1.0, 5.0), 0.02 * weave + 0.02 * rough * noise(seed + 1, 10)


def woven(seed: int) -> tuple[Field, Field]:
    """Thin plain weave as shade and height."""
    weave = np.sin(2 * np.pi * U * THREADS) * np.sin(2 * np.pi * V * THREADS)
    return 1 + 0.03 * weave + 0.02 * noise(seed, 1.0, 5.0), 0.02 * weave + 0.02 * noise(seed + 1, 12)


def hem(shade: Field, height: Field, stitches: float = 0.10, furrow: float = 0.20) -> tuple[Field, Field]:
    """The turned and stitched edges of a panel; in place. `stitches` is how much lighter than cloth they are, `furrow`
    how deep the cloth is drawn in along them."""
    for at in (0.035, 0.965):
        shade += stitches * dashes(U, V, at, 0.013, 0.6, 0.0022)
        height -= furrow * bump(V, at, 0.006)
    shade += stitches * dashes(V, ACROSS, 0.93, 0.016, 0.6, 0.004)
    return shade, height


def hemmed_weave(seed: int) -> tuple[Field, Field]:
    """Plain weave with a stitched edge, as shade and height."""
    shade, height = woven(seed)
    for at in (0.035, 0.965):
        shade += 0.10 * dashes(U, V, at, 0.013, 0.6, 0.0022)
        height -= 0.20 * bump(V, at, 0.006)
    return shade, height
