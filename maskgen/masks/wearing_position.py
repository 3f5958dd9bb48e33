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
        bottom = _slide_edge(template.bottom, place("lower_lip")[1] + 0.06, 0.45)
        return replace(template, bottom=bottom, lift=0.8 * template.lift)
    if wearing == "under_chin":
        top = _slide_edge(template.top, place("chin")[1] - 0.14, 0.75)
        bottom = _slide_edge(template.bottom, place("under_chin")[1] + 0.28, 0.8)
        return replace(template, top=top, bottom=bottom, lift=0.35 * template.lift)
    return template


def _slide_edge(edge: Doubles, to: float, outer: float) -> Doubles:
    """An edge (n, 3) slid along the skin until its middle is at y = `to`; its outer end moves `outer` as far."""
    share = np.linspace(1.0, outer, len(edge))
    moved = edge.copy()
    moved[:, 1] += share * (to - edge[0, 1])
    rays = moved - CENTRE
    skin = skin_along(rays) - CENTRE
    return np.asarray(CENTRE + skin * (1 + CLEAR / np.linalg.norm(skin, axis=1, keepdims=True)))
