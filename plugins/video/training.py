"""Operators for training a filter: prepare, train, evaluate, publish. PyTorch is imported when one of them runs."""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import Context, XComArg

from rotoscope import training
from rotoscope.store.base import Store
from rotoscope.training.recipe import TrainRequest
from video.operators import StepOperator, threads_of


class PrepareTrainingOperator(StepOperator):
    """Gather what the filter in the run's params learns from. Returns the digest that names the training."""

    def step(self, store: Store, context: Context) -> str:
        request = TrainRequest.parse(dict(context["params"]))
        digest: str = training.steps().prepare(request, store, context["run_id"], self.fetch())
        return digest


class _TrainingOperator(StepOperator):
    """A step of a training that was prepared."""

    template_fields: Sequence[str] = ("training",)

    def __init__(self, *, training: str | XComArg, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.training = training


class TrainOperator(_TrainingOperator):
    """Train until all steps are done, from the last state that the store has."""

    def step(self, store: Store, context: Context) -> None:
        request = TrainRequest.parse(dict(context["params"]))
        training.steps().train(request, store, context["run_id"], str(self.training))


class EvaluateOperator(_TrainingOperator):
    """Measure the trained filter. Returns the keys of the evaluation and of its contact sheet."""

    def step(self, store: Store, context: Context) -> dict[str, str]:
        request = TrainRequest.parse(dict(context["params"]))
        made: dict[str, str] = training.steps().evaluate(
            request, store, context["run_id"], str(self.training), threads_of(1)
        )
        return made


class PublishOperator(_TrainingOperator):
    """Put the trained filter into the catalogue. Returns its reference, NAME@VERSION, and its document's key."""

    def step(self, store: Store, context: Context) -> dict[str, str]:
        request = TrainRequest.parse(dict(context["params"]))
        published: dict[str, str] = training.steps().publish(request, store, context["run_id"], str(self.training))
        return published
