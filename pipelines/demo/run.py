"""`maskgen demo` at work: photographs, masks, lists, step by step."""

from __future__ import annotations

from pathlib import Path

from maskgen.core.reasons import UserError

from ..mask.settings import MaskSettings
from ..reports.progress import Notify
from .settings import DemoSettings

PEOPLE, EACH = 12, 10
SHARES = "0.5,0.25,0.25"  # of so few people, or there would be no pairs to test on


def run_demo(settings: DemoSettings, notify: Notify) -> int:
    """Do all steps; returns the exit code."""
    from ..workers.backends import usable_cores

    source, out = settings.source, settings.out
    if source is None:
        source = out / "sample"
        notify(f"1. Drawing the sample: a portrait, and {PEOPLE} people of {EACH} pictures each.")
        draw_sample(source)
    else:
        notify(f"1. Taking the photographs of {source}.")
    masked = MaskSettings(
        source=source,
        run=out / "masked",
        per_photo="all",
        bare=True,
        segmentation=True,
        workers=usable_cores() if settings.workers is None else settings.workers,
    )
    notify("2. Putting all five masks on every face.")
    code = _mask(masked, notify)
    if code == 0:
        notify("3. Writing the training and test lists.")
        _say_what_to_open(out, _write_lists(out / "masked", out / "manifests", notify), notify)
    return code


def draw_sample(folder: Path) -> None:
    """Write the built-in sample: FOLDER/portrait/portrait.png and FOLDER/PERSON/NN.png."""
    from maskgen import api
    from maskgen.core.files import write_atomic
    from maskgen.core.images import encode_image

    from ..library import portrait

    (folder / "portrait").mkdir(parents=True, exist_ok=True)
    write_atomic(folder / "portrait" / "portrait.png", encode_image(portrait().image, "png", 100))
    api.draw_sample(folder, PEOPLE, EACH, 0)


def _mask(settings: MaskSettings, notify: Notify) -> int:
    """Run and show the totals; 0 where there are pictures to go on with."""
    from ..mask.run import run_mask
    from ..reports.run_report import NOTHING_WRITTEN

    report = run_mask(settings, notify=notify)
    notify(report.table())
    return NOTHING_WRITTEN if report.exit_code == NOTHING_WRITTEN else 0


def _write_lists(run: Path, out: Path, notify: Notify) -> bool:
    """Write them, or say why so small a source has none; returns whether they are there."""
    from ..pairs.command import pairs_command

    options = ["--run", str(run), "--people", SHARES, "--overwrite", str(out)]
    try:
        pairs_command.main(options, prog_name="maskgen pairs", standalone_mode=False)
    except UserError as error:
        notify(f"There are no lists: {error}")
        return False
    return True


def _say_what_to_open(out: Path, lists: bool, notify: Notify) -> None:
    run = out / "masked"
    notify("\nDone. Open")
    notify(f"  {run / 'report.html'}  to see what came out, in a browser")
    notify(f"  {run / 'contact_sheet.png'}  to see some of every mask")
    notify(f"  {run / 'faces'}  for all pictures, one folder a person")
    notify(f"  {run / 'catalogue.parquet'}  for the record of each: source, points, pose, mask")
    if lists:
        notify(f"  {out / 'manifests'}  for the lists to train and test with")
    notify("Your own photographs: maskgen demo --source FOLDER OUT, or maskgen mask FOLDER RUN.")
