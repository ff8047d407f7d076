"""One fine-tune: training, then before and after on the hold-out."""

from dataclasses import replace
from pathlib import Path
from typing import cast

from seginst_core.errors import DataError, ModelError
from seginst_core.events import JsonValue, Reporter
from seginst_core.jobs.params import Params, text
from seginst_core.jobs.train import train_config
from seginst_core.library import resolve
from seginst_core.models.card import CARD_NAME, ModelCard, read_card, write_card

MASK_PASSES = 40
"""A nested U-Net that knows something learns few objects by heart if it sees them more often: of 27
airplanes it learned the most in 20 to 60 passes, and next to nothing in 180."""


def fine_tune(params: Params, reporter: Reporter) -> dict[str, JsonValue]:
    """Train as the job ``train`` does, then judge the new model against ``former`` on ``val``.

    ``former`` is the model that is live now, "" for none, and ``begun`` the ids of objects of
    ``val`` whose masks it drew first. Returns ``{"model", "name", "id",
    "scores", "verdict"}``; the verdict is None without ``val`` or if ``former`` is gone. Run again
    after a cancel or a crash with ``resume``, it goes on where it was: a model that is whole is not
    trained anew. ModelError or DataError if it cannot.
    """
    from seginst_core.training.gate import judge
    from seginst_core.training.run import train
    from seginst_core.training.validate import Answers, answers, check_held_out, scores_of

    config = train_config(params)
    val, former = config.val, text(params, "former", "")
    config = replace(config, val=None)
    if val is not None:
        check_held_out(val, config.images, reporter)
    if config.start is not None and config.iterations is None:
        config = replace(config, mask_passes=MASK_PASSES)
    if config.resume and (config.out / CARD_NAME).is_file():
        card = read_card(config.out)
    else:
        card = train(config, reporter)
    if val is None:
        return _result(config.out, card, None)
    new = answers(config.out, val, config.images, config.device, reporter)
    old: Answers | None = Answers((), 0.0)
    try:
        if former:
            old = answers(
                resolve(former), val, config.images, config.device, reporter,
                renamed=config.renamed,
            )  # fmt: skip
    except DataError as error:
        # A model of other classes finds none of these objects, which is its measure.
        reporter.log(str(error))
    except ModelError as error:
        # It was removed meanwhile: there is nothing to measure against.
        reporter.log(str(error))
        old = None
    begun = cast(list[int], params.get("begun") or [])
    verdict = None if old is None else judge(val, old, new, reporter, begun=begun).as_json()
    card = replace(
        card,
        training={**card.training, "val": val.name},
        scores=scores_of(val, new, reporter),
    )
    write_card(config.out, card)
    return _result(config.out, card, verdict)


def _result(
    folder: Path, card: ModelCard, verdict: dict[str, JsonValue] | None
) -> dict[str, JsonValue]:
    scores: dict[str, JsonValue] = dict(card.scores)
    return {
        "model": str(folder),
        "name": card.name,
        "id": card.id,
        "scores": scores,
        "verdict": verdict,
    }
