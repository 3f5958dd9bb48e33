"""A transform for albumentations and for its successor, AlbumentationsX: `A.Compose([MaskFace(p=0.5), ...])`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import albumentations as A  # noqa: N812

from maskgen.augment import MaskAugment
from maskgen.core.kindspec import DEFAULT_KINDS, texts_of

try:
    from albumentations.core.transform_params import SampledParams
except ImportError:  # only in the successor
    SampledParams = None


class _MaskFace(A.ImageOnlyTransform):  # type: ignore[misc]
    """The part shared by both libraries."""

    def __init__(
        self,
        kinds: Sequence[str] = DEFAULT_KINDS,
        wear: Sequence[str] = ("proper",),
        points: str = "points",
        aligned: bool = False,
        p: float = 0.5,
    ) -> None:
        super().__init__(p=p)
        self.kinds, self.wear = texts_of(kinds, "--kinds"), texts_of(wear, "--wear")
        self.points, self.aligned = points, aligned
        self._augment = MaskAugment(self.kinds, self.wear, aligned=aligned)

    def apply(self, img: Any, mask_key: str, mask_points: Any, **params: Any) -> Any:
        """The picture with a mask, or unchanged if none can be rendered."""
        del params
        return self._augment(img, mask_key, mask_points)

    def get_transform_init_args_names(self) -> tuple[str, ...]:
        """The arguments that a saved pipeline stores."""
        return "kinds", "wear", "points", "aligned"

    def _drawn(self, data: dict[str, Any], generator: Any) -> dict[str, Any]:
        return {"mask_key": str(int(generator.integers(2**62))), "mask_points": data.get(self.points)}


if SampledParams is not None:

    class MaskFace(_MaskFace):
        """Renders a mask onto the face of `image`, uint8 RGB (height, width, 3).

        Args:
            kinds: the masks to draw from, see `MaskAugment`.
            wear: wearing positions.
            points: the name under which the call gives five or 68 points: `transform(image=image, points=points)`;
                "keypoints" for those that earlier transforms move, with `remove_invisible=False` in the pipeline's
                `KeypointParams`, as all are needed. Without them the face is detected; another number of them is a
                ValueError.
            aligned: pictures are crops with one centred face.
            p: probability.
        """

        def sample_parameters(self, params: Any, data: Any, targets: Any, sampling: Any) -> Any:
            """The random key and the points of this picture."""
            del params, targets
            return SampledParams(params=self._drawn(data, sampling.random_generator))

else:

    class MaskFace(_MaskFace):  # type: ignore[no-redef]
        """Renders a mask onto the face of `image`, uint8 RGB (height, width, 3).

        Args:
            kinds: the masks to draw from, see `MaskAugment`.
            wear: wearing positions.
            points: the name under which the call gives five or 68 points: `transform(image=image, points=points)`;
                "keypoints" for those that earlier transforms move, with `remove_invisible=False` in the pipeline's
                `KeypointParams`, as all are needed. Without them the face is detected; another number of them is a
                ValueError.
            aligned: pictures are crops with one centred face.
            p: probability.
        """

        def get_params_dependent_on_data(self, params: Any, data: Any) -> dict[str, Any]:
            """The random key and the points of this picture."""
            del params
            return self._drawn(data, self.random_generator)
