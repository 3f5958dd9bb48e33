"""Wearing positions: the template's outline moved below the nose, above the chin or under the chin.

Convention: head coordinates (see `head`); the outline's points run from the middle outward.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from maskgen.core.records import Doubles
from maskgen.masks.pose.head import CENTRE, place, skin_along
from maskgen.masks.template import Template

CLEAR = 0.05  # distance of a moved edge from the skin, in eye distances
# Where a lower edge is slid to free the chin, below the lower lip. An edge on the neck, as a gaiter's, needs two or
# three slides to the place that an edge at the chin reaches in one: at most CHIN_FREE below the lip.
SLIDES, CHIN_FREE = (0.06, 0.2, 0.2), 0.4


def in_wearing_position(template: Template, wearing: str) -> Template:
    """The template with its outline moved to a wearing position, one of `core.kindspec.WEARINGS`.

    A shield and glasses have only the proper position.
    """
    if template.role != "mask":
        return template
    if wearing == "nose_out":
        top = _slide_edge(template.top, place("under_nose")[1] + 0.10, 0.35)
        return replace(template, top=top, bottom=_slide_edge(template.bottom, template.bottom[0, 1] + 0.08, 0.3))
    if wearing == "chin_out":
        return replace(template, bottom=_above_the_chin(template.bottom), lift=0.8 * template.lift)
    if wearing == "under_chin":
        top = _slide_edge(template.top, place("chin")[1] - 0.14, 0.75)
        bottom = _slide_edge(template.bottom, place("under_chin")[1] + 0.28, 0.8)
        return replace(template, top=top, bottom=bottom, lift=0.35 * template.lift)
    return template


def _above_the_chin(bottom: Doubles) -> Doubles:
    """A lower edge (n, 3) between the lips and the chin."""
    lips = place("lower_lip")[1]
    for below in SLIDES:
        bottom = _slide_edge(bottom, lips + below, 0.45)
        if bottom[0, 1] < lips + CHIN_FREE:
            break
    return bottom


def _slide_edge(edge: Doubles, to: float, outer: float) -> Doubles:
    """An edge (n, 3) moved until its middle is at y = `to`, then along rays onto the skin, which lowers it again, more
    where it lay deeper; its outer end moves `outer` as far."""
    share = np.linspace(1.0, outer, len(edge))
    moved = edge.copy()
    moved[:, 1] += share * (to - edge[0, 1])
    rays = moved - CENTRE
    skin = skin_along(rays) - CENTRE
    return np.asarray(CENTRE + skin * (1 + CLEAR / np.linalg.norm(skin, axis=1, keepdims=True)))
