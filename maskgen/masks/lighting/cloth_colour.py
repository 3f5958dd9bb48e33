"""The colour of cloth: a dye, its sheen and its relief in the light of a photograph.

What is computed for each pixel is in `kernels/render.c`, and for the pixels of a batch in `torch_masks.paint`, with
these constants.
"""

from __future__ import annotations

from maskgen.masks.kind import LEVEL_GROUND, STEEPNESS
from maskgen.masks.lighting.colour import GAMMA
from maskgen.masks.lighting.light import Light
from maskgen.masks.lighting.tone import LUMA
from maskgen.masks.plan import MaskPlan
from maskgen.masks.pose.camera import Camera

BRIGHTEST = 1.5  # encoded light that a vertex value of 1 stands for
USUAL_LIGHT = 0.96  # encoded light on the larger part of a mask
SHEEN = 60.0  # levels of sheen, the reflection of the fibres' surface, that a kind of gloss 1 adds
FIBRES, SHINE = 14.0, 50.0  # levels that cloth loses in light below USUAL_LIGHT; that black cloth gains above
# Squared light above USUAL_LIGHT from which the sheen grows less, and by how much it can grow from there. In
# strong light from one side glossy dark cloth would else shine like metal.
SHEEN_KNEE, SHEEN_ROOM = 0.3, 0.4
SHEEN_OF_RELIEF = 0.75  # share of the relief's shading in the light of the sheen
SKY = (0.9, 1.0, 1.12)  # relative red, green and blue of the light that the surface reflects
LUMA_OF_THREE = tuple(LUMA.tolist())
FOLD_SHOWING = -0.25  # light from above, added for folds, so that they always show
FOLD_LIGHT = 1.55  # factor on the shading of the relief


def shade_tint(plan: MaskPlan, light: Light) -> float:
    """How much warmer cloth is for each unit of encoded light that it lacks."""
    return float(plan.tint * light.tone.colour)


def full_light(plan: MaskPlan, light: Light) -> float:
    """The encoded light of a vertex value of 1, with the cloth's brightness and the picture's exposure."""
    return float(BRIGHTEST * plan.bright * light.level ** (1 / GAMMA))


def dye_numbers(light: Light, fade: float) -> list[float]:
    """The matrix (3, 4), row by row, from a dye and its sheen to their faded colour in this light.

    Fading mixes a colour with grey, white and black do not fade; a tone keeps a share of the colour and tints the luma.
    """
    colour, kept = light.tone.colour, light.tone.colour * (1 - fade)
    numbers = []
    of_red, of_green, of_blue = LUMA_OF_THREE
    # Single numbers: for so few NumPy takes several times as long.
    for at, (cast, tint, sky) in enumerate(zip(light.cast.tolist(), light.tone.tint.tolist(), SKY, strict=True)):
        grey = colour * fade + (1 - colour) * tint
        row = [grey * of_red, grey * of_green, grey * of_blue, colour * sky + (1 - colour) * tint]
        row[at] += kept
        numbers += [cast * each for each in row]
    return numbers


def fold_gains(camera: Camera, light: Light, plan: MaskPlan) -> tuple[float, float, float]:
    """The shading of the relief, a factor on light: gains for the atlas's slopes across and down, and a constant."""
    right, lower = (-FOLD_LIGHT / GAMMA / STEEPNESS * part for part in _fold_light(camera, light, plan))
    return right, lower, 1 - LEVEL_GROUND * (right + lower)


def _fold_light(camera: Camera, light: Light, plan: MaskPlan) -> tuple[float, float]:
    """The gain in brightness for a slope to the right and down: the light along the cloth's axes, by the depth of its
    relief; if the cloth is mirrored its right is the viewer's left."""
    x, y, z = light.direction.tolist()
    y += FOLD_SHOWING
    (a, b, _), (c, d, _), (e, f, _) = camera.rotation.tolist()
    right, down = plan.relief * (a * x + c * y + e * z), plan.relief * (b * x + d * y + f * z)
    return -right if plan.turned else right, down
