"""--labels: detector labels from a finished run's catalogue."""

from __future__ import annotations

from pathlib import Path

from ..reports.progress import Notify
from .settings import MaskSettings


def write_labels(settings: MaskSettings, notify: Notify) -> None:
    """Write coco.json and yolo/ into the run, as --labels says.

    Raises:
        UserError: the catalogue cannot be read.
    """
    from maskgen.core.atomic_writes import remove_parts_of
    from maskgen.manifests.detection.coco import FILE, save_coco
    from maskgen.manifests.detection.labels import class_names, read_labels
    from maskgen.manifests.detection.yolo import ABOUT, FOLDER, save_yolo

    run, names = Path(str(settings.run)), class_names(settings.run)
    yolo = (run / FOLDER / name for name in ("train.txt", "val.txt", ABOUT))
    remove_parts_of(run / FILE, *yolo)
    if "coco" in settings.labels:
        save_coco(run / FILE, read_labels(run), names)
        notify(f"The labels are in {run / FILE}.")
    if "yolo" in settings.labels:
        save_yolo(run, read_labels(run), names)
        notify(f"Pictures and labels for YOLO are in {run / FOLDER}; {run / FOLDER / ABOUT} names the classes.")
    unlabelled = sum(one.unlabelled for one in read_labels(run))
    if unlabelled:
        notify(
            f"Warning: {unlabelled:,} faces in these pictures have no label: they were set aside (set_aside.csv) "
            "or not selected (--faces all selects every face)."
        )
