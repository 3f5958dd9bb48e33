"""Recipes: all settings that determine the result of a training run, as small files with names.

    model: {backbone: small, dim: 64}
    loss: {kind: arcface, scale: 16}

Every setting has a default, so a recipe contains only the settings that differ.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from maskgen.core.kindspec import DEFAULT_KINDS

from .typed_settings import choice, number

FACENET_SCALE = 128 / 255  # facenet's input is (pixel - 127.5) / 128


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """The network.

    Attributes:
        backbone: "inception_resnet_v1", "dlib_resnet" (dlib's recognition network), a timm name ("timm:resnet18" or
            "resnet18"), "small", a tiny network for trials, or "adapter:dlib", a few layers on that recogniser's
            embeddings.
        pretrained: the initial weights: "" for random ones, "vggface2" and "casia-webface" for
            inception_resnet_v1, "dlib" for dlib_resnet, "imagenet" for timm.
        pooling: "gem" or "avg", over the last feature maps.
        dim: length of an embedding (with neck "none", the backbone's width).
        neck: "linear_bn", a linear layer and a batch norm, "linear", without the batch norm, or "none".
        dropout: share of the pooled features (in an adapter, of the hidden ones) that training sets to 0.
        frozen: the number of dlib_resnet's six parts (stem, five stages), from the first on, that are not trained.
    """

    backbone: str = "small"
    pretrained: str = choice("", "", "vggface2", "casia-webface", "dlib", "imagenet")
    pooling: str = choice("avg", "gem", "avg")
    dim: int = number(512, 1, 1 << 16)
    neck: str = choice("linear_bn", "linear_bn", "linear", "none")
    dropout: float = number(0.0, 0, 0.99)
    frozen: int = number(0, 0, 6)


@dataclass(frozen=True, slots=True)
class LossSpec:
    """The loss.

    Attributes:
        kind: "arcface", "triplet", "both", their sum, or "distill", which moves each embedding toward the mean of
            dlib's embeddings of its person's bare photographs.
        scale, margin: ArcFace's, the margin in radians.
        focal_gamma: 0 is cross-entropy; above 0, well classified pictures have less weight.
        class_weights: "log1p" weighs a person of n pictures by 1 / log(1 + n).
        mining: triplets of a batch: "hard" (per picture the farthest of its person and the nearest of another),
            "semihard" or "all" that are within the margin.
        triplet_margin: between L2 distances of normalised embeddings, which are 0 to 2.
        triplet_weight: of the triplets in "both".
        distill_weight: of the distillation, if added to another kind; 0 for none.
        distill_classes: weight, within the distillation, of cross-entropy over all people with their templates as the
            centres; with the scale `distill_scale` and the margin `distill_margin`, of cosines.
    """

    kind: str = choice("arcface", "arcface", "triplet", "both", "distill")
    scale: float = number(45.0, 0, above=True)
    margin: float = number(0.4, 0, 1.5)
    focal_gamma: float = number(0.0)
    class_weights: str = choice("none", "log1p", "none")
    mining: str = choice("hard", "hard", "semihard", "all")
    triplet_margin: float = number(0.3, 0, above=True)
    triplet_weight: float = number(1.0)
    distill_weight: float = number(0.0)
    distill_classes: float = number(0.0)
    distill_scale: float = number(20.0, 0, above=True)
    distill_margin: float = number(0.1, 0, 1)


@dataclass(frozen=True, slots=True)
class OptimizerSpec:
    """The optimizer. `momentum` is for SGD and RMSprop, `nesterov` for SGD; the others ignore them."""

    name: str = choice("sgd", "sgd", "adam", "adamw", "rmsprop", "adadelta")
    lr: float = number(0.1, 0, above=True)
    weight_decay: float = number(0.0)
    momentum: float = number(0.9, 0, 0.9999)
    nesterov: bool = False


@dataclass(frozen=True, slots=True)
class ScheduleSpec:
    """The learning-rate schedule.

    Attributes:
        name: "multistep", "cosine" (down to 0), "onecycle" (up and down again) or "constant".
        milestones: epochs after which multistep multiplies the rate by `gamma`.
        warmup_steps: optimizer steps of linear warm-up; for onecycle the steps of its rise, 0 for 30 % of all.
    """

    name: str = choice("constant", "multistep", "cosine", "onecycle", "constant")
    milestones: tuple[int, ...] = field(default=(), metadata={"low": 1, "high": 10**9, "above": False})
    gamma: float = number(0.1, 0, 1, above=True)
    warmup_steps: int = number(0)


@dataclass(frozen=True, slots=True)
class DataSpec:
    """The input of the network.

    Attributes:
        size: side of the square input, in pixels.
        align: "" for the aligned crop unchanged; "dlib" to detect the face in it and align it for dlib's
            network.
        mean, std: of red, green and blue between 0 and 1; the input is (pixel / 255 - mean) / std.
        flip: mirror each picture with probability 1/2.
        masks: "stored", the pictures unchanged, or "online", a new mask each time on `mask_share` of them.
        mask_kinds: as for `maskgen mask --kinds`.
        renderer: of new masks: "cpu", in the loader's workers, or "torch", on the network's device.
        analyses_gb: disk space for the analyses of faces, which new masks need in every epoch; 0 to analyse each time.
        sampler: "shuffle", or "pk": batches of `people` people, `images` pictures each.
        workers: processes that load pictures; 0 loads in the run's own process.
        features: "" for pictures; "dlib" if the input is that recogniser's embeddings.
    """

    size: int = number(128, 16, 4096)
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = field(
        default=(FACENET_SCALE,) * 3, metadata={"low": 0, "high": float("inf"), "above": True}
    )
    align: str = choice("", "", "dlib")
    flip: bool = True
    masks: str = choice("stored", "stored", "online")
    mask_share: float = number(0.5, 0, 1)
    mask_kinds: tuple[str, ...] = DEFAULT_KINDS
    renderer: str = choice("cpu", "cpu", "torch")
    analyses_gb: float = number(8.0, 0)
    sampler: str = choice("shuffle", "shuffle", "pk")
    people: int = number(8, 1, 1 << 20)
    images: int = number(4, 1, 1 << 20)
    workers: int = number(4, 0, 4096)
    features: str = choice("", "", "dlib")


@dataclass(frozen=True, slots=True)
class TrainSpec:
    """Length, batches and precision of the training.

    Attributes:
        batch_size: pictures per batch on each device; with the sampler "pk" it is `people` times `images`.
        precision: "fp32", "bf16" or "fp16".
        compile, channels_last: use PyTorch's compiler, and its memory format channels_last.
        accumulate: batches whose gradients are averaged for one step.
        clip_norm: largest norm of the gradient; 0 for no limit.
        max_steps: optimizer steps after which the run ends; 0 for no limit.
        save_every: steps between two checkpoints; each epoch also ends with one.
        check_every: steps between two checks for a collapse.
        on_collapse: "stop", "lower" (back to the last good weights at a tenth of the rate) or "go_on".
    """

    epochs: int = number(25, 1)
    batch_size: int = number(128, 2, 1 << 20)
    precision: str = choice("fp32", "fp32", "bf16", "fp16")
    compile: bool = False
    channels_last: bool = False
    accumulate: int = number(1, 1)
    clip_norm: float = number(0.0)
    seed: int = number(0, 0, 2**63 - 1)
    max_steps: int = number(0)
    save_every: int = number(1000, 1)
    check_every: int = number(100, 1)
    on_collapse: str = choice("stop", "stop", "lower", "go_on")


@dataclass(frozen=True, slots=True)
class Recipe:
    """All settings of a training.

    Example:
        >>> load_recipe("model1", ["train.epochs=2"]).train.epochs
        2
    """

    name: str
    model: ModelSpec = field(default_factory=ModelSpec)
    loss: LossSpec = field(default_factory=LossSpec)
    optimizer: OptimizerSpec = field(default_factory=OptimizerSpec)
    schedule: ScheduleSpec = field(default_factory=ScheduleSpec)
    data: DataSpec = field(default_factory=DataSpec)
    train: TrainSpec = field(default_factory=TrainSpec)
