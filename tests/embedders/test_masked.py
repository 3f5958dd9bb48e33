"""The recogniser `masked` as it comes with the program."""

from __future__ import annotations

import numpy as np
import torch
from drawn_people import drawn_people

from maskgen.embedders.by_name import open_embedder
from maskgen.embedders.dlib_resnet import dlib_resnet
from maskgen.embedders.masked import MirrorAveraged, masked


def both_ways() -> MirrorAveraged:
    model = masked().model
    assert isinstance(model, MirrorAveraged)
    return model


def test_a_mirrored_picture_has_the_same_embedding() -> None:
    model, pictures = masked().model, torch.rand(2, 3, 150, 150, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.allclose(model(pictures), model(torch.flip(pictures, (3,))), atol=1e-5)


def test_it_is_dlibs_network_with_other_last_layers() -> None:
    own, dlibs = both_ways().model.state_dict(), dlib_resnet().model.state_dict()
    changed = {name.split(".")[1] for name in own if not torch.equal(own[name], dlibs[name])}
    assert changed == {"stage3", "stage4", "stage5", "weight"}  # and the neck's


def test_it_embeds_without_a_download() -> None:
    crops = [portrait.image for _, _, portrait in drawn_people(2, 2, seed=3)]
    model = open_embedder("masked")
    found = model.embed(crops)
    assert (model.name, found.shape) == ("masked", (len(crops), 128))
    assert not np.allclose(found, open_embedder("dlib").embed(crops), atol=1e-2)
