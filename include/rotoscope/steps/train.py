"""Train: a filter from paintings, in four steps that can each be run again: prepare, train, evaluate, publish.

All that a training leaves is in the store below one digest of what it learns from and how. So asking again goes on
where it stopped, and a training that is done is not done again.
"""

import logging
import shutil
import time
from pathlib import Path
from typing import Any

import torch

from rotoscope import __version__
from rotoscope.engines import Frame
from rotoscope.errors import RotoscopeError
from rotoscope.fetch import Fetch
from rotoscope.fetch import fetch as fetch_url
from rotoscope.filters.catalogue import Filter, Weights
from rotoscope.media.pictures import QUALITY
from rotoscope.media.probe import file_sha256
from rotoscope.media.timing import clock
from rotoscope.painting import Report
from rotoscope.steps.progress import reporter
from rotoscope.store import keys
from rotoscope.store.base import Store
from rotoscope.store.filters import check_not_retired, keep
from rotoscope.training.evaluate import measure
from rotoscope.training.export import onnx_of
from rotoscope.training.losses import load_vgg
from rotoscope.training.prepared import gather, unpacked
from rotoscope.training.recipe import TrainRequest
from rotoscope.training.trainer import Trainer
from rotoscope.training.watch import sample_picture

log = logging.getLogger(__name__)
RECIPE, PREPARED, LOSSES = "recipe.json", "prepared.zip", "losses.json"
STATES, SAMPLES = "states", "samples"
NETWORK, REPORT, SHEET = "network.onnx", "evaluation.json", "sheet.jpg"
STOPS = 20
"""States that a training keeps on its way, one after the other."""
TRAINING_VERSION = 1
"""Goes up when the same recipe would train another network."""
DIFFERENT = 1 / 255
"""Mean difference in 0..1 between what PyTorch and the file paint, from which the file is not published."""


def prepare(request: TrainRequest, store: Store, run_id: str, fetch: Fetch = fetch_url) -> str:
    """Gather what a training learns from; gives the digest that names the training.

    Raises Refused for what cannot be learned from and for a name that is retired, RotoscopeError if there is no VGG16.
    """
    check_not_retired(store, request.name)
    taught_by = load_vgg(request.vgg, torch.device("cpu")).sha256
    with store.workspace(keys.run(run_id)) as folder:
        archive, scratch = folder / PREPARED, folder / "scratch"
        scratch.mkdir()
        paintings = gather(request, archive, scratch, fetch)
        how = request.model_dump(mode="json", exclude={"name", "sentence", "styles", "content", "vgg"})
        how |= {"version": TRAINING_VERSION, "taught_by": taught_by}
        recipe = {**how, "paintings": [one.model_dump() for one in paintings], "learned_from": file_sha256(archive)}
        training = keys.digest(recipe)
        store.put(keys.training(training, PREPARED), archive)
        store.put_json(keys.training(training, RECIPE), recipe)
    return training


def train(request: TrainRequest, store: Store, run_id: str, training: str, report: Report | None = None) -> None:
    """Train until all steps are done, from the last state that the store has.

    While it runs, the store gets a state, the losses so far and a picture of samples and curves at each stop.
    """
    report = report or reporter(store, run_id, "train")
    trainer, photos = _trainer(request, store, training)
    losses = store.get_json(keys.training(training, LOSSES)) if trainer.done else []
    losses = [row for row in losses if row[0] <= trainer.done]  # a crash may have come between them and their state
    every = max(1, request.steps // STOPS)
    began, before = time.monotonic(), trainer.done
    recent: list[list[float]] = []
    while trainer.done < request.steps:
        recent.append(trainer.step().numbers)
        report(trainer.done, request.steps)
        if trainer.done % every == 0 or trainer.done == request.steps:
            means = [round(sum(column) / len(recent), 5) for column in zip(*recent, strict=True)]
            losses, recent = [*losses, [trainer.done, *means]], []
            _keep(store, run_id, training, trainer, losses, photos)
            to_go = (time.monotonic() - began) / (trainer.done - before) * (request.steps - trainer.done)
            said = "content %.3f, style %.3f, unsteadiness %.3f"
            log.info("Step %d of %d, " + said + "; %s to go", trainer.done, request.steps, *means, clock(to_go))


def evaluate(request: TrainRequest, store: Store, run_id: str, training: str, threads: int) -> dict[str, str]:
    """Write the trained network's file and measure it; gives the keys of the evaluation and of its contact sheet."""
    made = {name: keys.training(training, file) for name, file in (("evaluation", REPORT), ("sheet", SHEET))}
    network = keys.training(training, NETWORK)
    if all(store.exists(key) for key in (network, *made.values())):
        return made
    trainer, photos = _trained(request, store, training)
    with store.workspace(keys.run(run_id)) as folder:
        path = folder / NETWORK
        path.write_bytes(onnx_of(trainer))
        evaluation = measure(trainer, _filter(request, store, training, path), photos, threads, folder / SHEET)
        store.put(network, path)
        store.put(made["sheet"], folder / SHEET)
    store.put_json(made["evaluation"], evaluation.model_dump())
    log.info("%s", evaluation)
    return made


def publish(request: TrainRequest, store: Store, run_id: str, training: str) -> dict[str, str]:
    """Put the trained filter into the catalogue; gives its reference, NAME@VERSION, and the key of its document.

    Raises RotoscopeError if its file does not paint what was trained, Refused for a name that is built in.
    """
    difference = store.get_json(keys.training(training, REPORT))["difference"]
    if difference >= DIFFERENT:
        raise RotoscopeError(
            f"The ONNX file paints other pictures than what was trained (difference {difference:.4f}, at most "
            f"{DIFFERENT:.4f}); train again with another seed."
        )
    with store.workspace(keys.run(run_id)) as folder, store.local(keys.training(training, NETWORK)) as measured:
        path = folder / NETWORK
        shutil.copyfile(measured, path)
        filter = _filter(request, store, training, path)
        assert filter.weights is not None
        store.put(filter.weights.file, path)
    filter = keep(store, filter)
    log.info("The filter %s is published", filter.reference)
    document = keys.filter(filter.name, int(filter.version))
    return {"filter": filter.reference, "document": document}


def _trainer(request: TrainRequest, store: Store, training: str) -> tuple[Trainer, list[Frame]]:
    """A training as far as it is, and its photos."""
    with store.local(keys.training(training, PREPARED)) as archive:
        paintings, photos = unpacked(archive)
    trainer = Trainer(request, paintings, photos)
    states = _states(store, training)
    if states:
        with store.local(states[max(states)]) as path:
            trainer.restore(path.read_bytes())
        log.info("Going on from step %d", trainer.done)
    return trainer, photos


def _trained(request: TrainRequest, store: Store, training: str) -> tuple[Trainer, list[Frame]]:
    """A training that is done, and its photos. Raises RotoscopeError for one that is not."""
    trainer, photos = _trainer(request, store, training)
    if trainer.done < request.steps:
        raise RotoscopeError(f"Only {trainer.done} of {request.steps} steps are trained; run the task train again.")
    return trainer, photos


def _states(store: Store, training: str) -> dict[int, str]:
    """The states of a training that the store has, by their steps."""
    return {int(keys.stem(key)): key for key in store.below(keys.training(training, STATES))}


def _keep(
    store: Store, run_id: str, training: str, trainer: Trainer, losses: list[list[float]], photos: list[Frame]
) -> None:
    """The losses first, then the state that belongs to them, so that there is no state without its losses."""
    store.replace_json(keys.training(training, LOSSES), losses)
    name = f"{trainer.done:07}"
    older = [key for step, key in _states(store, training).items() if step < trainer.done]
    with store.workspace(keys.run(run_id)) as folder:
        picture, state = folder / "sample.jpg", folder / "state"
        sample_picture([row[1:] for row in losses], photos, trainer.paint).save(picture, "JPEG", quality=QUALITY)
        store.put(keys.training(training, f"{SAMPLES}/{name}.jpg"), picture)
        state.write_bytes(trainer.state())
        store.put(keys.training(training, f"{STATES}/{name}.pt"), state)
    for key in older:
        store.delete(key)


def _filter(request: TrainRequest, store: Store, training: str, path: Path) -> Filter:
    """The trained filter, whose file is at `path` until the store has it."""
    recipe: dict[str, Any] = store.get_json(keys.training(training, RECIPE))
    sha256 = file_sha256(path)
    names = ", ".join(one["name"] for one in recipe["paintings"])
    return Filter(
        name=request.name,
        title=request.name.rpartition(".")[2].replace("-", " ").title(),
        sentence=request.sentence or f"Trained on {names}.",
        version="1",
        engine="onnx",
        weights=Weights(file=keys.weights(sha256), sha256=sha256, path=path),
        parameters={},
        licence="as the paintings'",
        origin=f"Trained on {names} by Rotoscope {__version__}",
        recipe=recipe,
    )
