"""The kinds `world` and `world:FORM`: form, cloth, colour, print, wear and fit are drawn for each mask."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from maskgen.masks.kind import Kind, KindLook, make_kind
from maskgen.masks.lighting.colour import hex_colour
from maskgen.masks.plan import MaskPlan
from maskgen.masks.template import Template, built_in_template
from maskgen.masks.world.census import census
from maskgen.masks.world.design import Design, draw_design
from maskgen.masks.world.design_atlas import FLAT_LOOK, DesignLevels


def world_forms() -> tuple[str, ...]:
    """The forms that masks of `world` have."""
    return census().forms.names


def world_kind(name: str, form: str = "") -> Kind:
    """The kind that draws a new design for each mask, of one form, or of any form if `form` is "".

    Before a design is drawn, it has the geometry of that form, or of the most common form.
    """
    tables = census().forms
    commonest = max(tables.names, key=tables.share)

    def draws(plan: MaskPlan) -> tuple[Kind, MaskPlan]:
        design, sits = draw_design(plan, form)
        return _kind(name, design, plan.look), sits

    title = "Masks as people wear them, each drawn for itself" + (f": {form}" if form else "")
    return replace(_base(form or commonest), name=name, title=title, colour="", colours=(), draw_design=draws)


@cache
def _base(form: str) -> Kind:
    template = built_in_template(form)
    return make_kind(form, template, next(iter(template.colours.values())))


def _kind(name: str, design: Design, look: float) -> Kind:
    """A design as the kind of one mask: all its looks are the one that is drawn on."""
    base = _base(design.form)
    number = base.template.look_number(look)
    own = base.looks[number]
    levels = DesignLevels(base.template, _flat_look(base.template) if design.flat else number, design)
    second = () if design.second is None else (design.second,)
    colours = tuple([hex_colour(colour) for colour in (design.ground, *second, *design.inks)])
    return Kind(
        name=name,
        title=base.title,
        colour="",
        gloss=design.gloss,
        straps_from=base.straps_from,
        looks=(KindLook(own.name, own.columns, levels),) * len(base.looks),
        template=base.template,
        print=design.family,
        colours=colours,
    )


@cache
def _flat_look(template: Template) -> int:
    """The number of the look on which a design's pleats and seam are drawn."""
    return [look.name for look in template.looks].index(FLAT_LOOK)
