"""The steps of `maskgen demo`: photographs, masks, lists."""

from __future__ import annotations

from pathlib import Path

from maskgen.core.reasons import UserError

from ..mask.settings import MaskSettings
from ..reports.progress import Notify
from .folder import LISTS, RUN, SAMPLE, begin
from .settings import DemoSettings

PEOPLE, EACH = 12, 10
SHARES = "0.5,0.25,0.25"  # with so few people, smaller shares would leave no test pairs


def run_demo(settings: DemoSettings, notify: Notify) -> int:
    """Do all steps; returns the exit code."""
    from ..reports.run_report import NOTHING_WRITTEN, SOME_SET_ASIDE
    from ..workers.cores import usable_cores

    source, out = settings.source, settings.out
    begin(out)
    if source is None:
        source = out / SAMPLE
        notify(f"1. Drawing the sample: a portrait, and {PEOPLE} people of {EACH} pictures each.")
        draw_sample(source)
    else:
        notify(f"1. Taking the photographs of {source}.")
    masked = MaskSettings(
        source=source,
        run=out / RUN,
        per_photo="all",
        bare=True,
        segmentation=True,
        workers=usable_cores() if settings.workers is None else settings.workers,
    )
    notify("2. Rendering all five masks onto every face.")
    code = _mask(masked, notify)
    if code != NOTHING_WRITTEN:
        notify("3. Writing the training and test lists.")
        lists = _write_lists(out / RUN, out / LISTS, notify)
        _say_what_to_open(out, lists, notify)
        code = code if lists else SOME_SET_ASIDE
    return code


def draw_sample(folder: Path) -> None:
    """Write the built-in sample: FOLDER/portrait/portrait.png and FOLDER/PERSON/NN.png."""
    from maskgen import api
    from maskgen.core.atomic_writes import remove_parts, write_atomic
    from maskgen.core.images import encode_image

    from ..load_models import portrait

    (folder / "portrait").mkdir(parents=True, exist_ok=True)
    remove_parts(folder)
    write_atomic(folder / "portrait" / "portrait.png", encode_image(portrait().image, "png", 100))
    api.draw_sample(folder, PEOPLE, EACH, 0)


def _mask(settings: MaskSettings, notify: Notify) -> int:
    """Run `mask` and print the totals; returns its exit code.

    Raises:
        UserError: the folder holds a run with other settings.
    """
    from ..mask.run import run_mask
    from ..runs.run_folder import OtherSettingsError

    try:
        report = run_mask(settings, notify=notify)
    except OtherSettingsError:  # its message names an option that `demo` does not have
        raise UserError(f"{settings.run.parent} holds a demo of another source: name another folder.") from None
    notify(report.table())
    return report.exit_code


def _write_lists(run: Path, out: Path, notify: Notify) -> bool:
    """Write the lists, or print why the source is too small for them; returns whether they exist."""
    from ..pairs.command import pairs_command

    options = ["--run", str(run), "--people", SHARES, "--overwrite", str(out)]
    try:
        pairs_command.main(options, prog_name="maskgen pairs", standalone_mode=False)
    except UserError as error:
        notify(f"There are no lists: {error} `maskgen pairs --run {run} {out}` takes these options.")
        return False
    return True


def _say_what_to_open(out: Path, lists: bool, notify: Notify) -> None:
    run = out / RUN
    notify("\nDone. Open")
    notify(f"  {run / 'report.html'}  the results, for a browser")
    notify(f"  {run / 'contact_sheet.png'}  samples of every mask")
    notify(f"  {run / 'faces'}  all pictures, one folder per person")
    notify(f"  {run / 'catalogue.parquet'}  one record per face: source, landmarks, pose, mask")
    if lists:
        notify(f"  {out / 'manifests'}  lists for training and testing")
    notify("Your own photographs: maskgen demo --source FOLDER OUT, or maskgen mask FOLDER RUN.")
