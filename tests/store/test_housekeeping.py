"""Housekeeping, in every kind of store: what goes, what stays, and that looking deletes nothing."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rotoscope.algorithmia.endpoint import Endpoint
from rotoscope.algorithmia.spending import Budget
from rotoscope.batch.plan import BatchPlan, Item, Priced
from rotoscope.batch.wanted import Wanted
from rotoscope.errors import Refused
from rotoscope.housekeeping.report import Report
from rotoscope.housekeeping.request import HousekeepingRequest
from rotoscope.housekeeping.sweep import AT_A_TIME, old_units
from rotoscope.needs import Needs
from rotoscope.request import Request
from rotoscope.steps.housekeeping import keep_house
from rotoscope.steps.paint import paint_chunk
from rotoscope.steps.remote import Connect, nowhere
from rotoscope.steps.split import split
from rotoscope.store import keys
from rotoscope.store.base import Store
from rotoscope.store.folder import FolderStore
from rotoscope.store.s3 import S3Store
from tests.s3 import S3Server
from tests.store.conftest import bucket

KINDS = [name for name in HousekeepingRequest.model_fields if name != "delete"]
ALL = dict.fromkeys(KINDS, 30)
THINGS = {
    "scratch": f"{keys.run('old')}/segments/5f1c/00000.nut",
    "uploads": keys.incoming("acme.1", "content"),
    "checkpoints": keys.training("5f1c", "states/00000100.pt"),
    "bought": keys.paid("5f1c", 7),
    "deliveries": keys.delivery("acme.1", "msg_1"),
    "failures": keys.failure("rotoscope", "old"),
    "painted": keys.painted_record("5f1c"),
    "batches": keys.batch("old", "report.json"),
    "frames": keys.frame_set("old", "set.json"),
    "sheets": keys.sheet("5f1c", "index.json"),
    "results": keys.result("5f1c", "provenance.json"),
    "videos": keys.manifest("5f1c"),
}
STAY = [
    keys.plan("5f1c"),
    keys.spent("old", "desk", "call"),
    keys.weights("5f1c"),
    keys.training("5f1c", "recipe.json"),
]
DUE = keys.delivery("acme.1", "msg_1", due=True)


def sweep(
    store: Store, days: float = 40, alive: tuple[str, ...] = (), connect: Connect = nowhere, **fields: Any
) -> Report:
    """Housekeeping of so many days later."""
    later = datetime.now(UTC) + timedelta(days=days)
    request = HousekeepingRequest.parse(fields)
    return keep_house(request, store, "sweep", later, lambda _, run: run in alive, connect)


def found(report: Report) -> dict[str, list[str]]:
    return {row.kind: row.things for row in report.rows.values()}


def there(store: Store) -> set[str]:
    kinds = {key.partition("/")[0] for key in [*THINGS.values(), *STAY]}
    return {key for kind in kinds for key in store.below(kind)}


@pytest.fixture
def full(store: Store) -> Store:
    """A store with a thing of each kind, and some that are no kind's."""
    for key in [*THINGS.values(), *STAY, DUE]:
        store.put_json(key, {})
    return store


def test_looking_deletes_nothing_and_says_all(full: Store) -> None:
    before = there(full)
    report = sweep(full, **ALL)
    assert there(full) == before
    assert set(found(report)) == set(KINDS)
    assert report.bytes > 0
    assert any("run it again with `delete`" in line for line in report.lines())
    assert full.get_json(keys.housekeeping("sweep"))["deleted"] is False


def test_what_is_old_goes_and_the_rest_stays(full: Store) -> None:
    assert found(sweep(full, days=20, delete=True, **ALL)) == {}
    assert set(found(sweep(full, delete=True, **ALL))) == set(KINDS)
    assert there(full) == {*STAY, DUE}
    assert found(sweep(full, delete=True, **ALL)) == {}


def test_by_default_nothing_goes_that_cannot_be_made_again(full: Store) -> None:
    sweep(full, days=4000, delete=True)
    assert {THINGS[kind] for kind in ("batches", "frames", "sheets", "results", "videos")} <= there(full)


def test_what_a_request_needs_stays_until_it_is_over(full: Store) -> None:
    needs = Needs(run="busy", video="5f1c", result="5f1c", painted=["5f1c"])
    full.put_json(keys.needs("busy"), needs.model_dump())
    gone = found(sweep(full, delete=True, alive=("busy", "acme.1"), **ALL))
    assert set(gone) == set(KINDS) - {"painted", "results", "videos", "uploads"}
    assert gone["scratch"] == [keys.run("old")]
    assert full.exists(keys.needs("busy"))
    gone = found(sweep(full, delete=True, **ALL))
    assert set(gone) == {"painted", "results", "videos", "uploads", "scratch"}


def test_what_a_batch_names_stays_as_long_as_its_report(full: Store) -> None:
    priced = Priced(conf={"source": "video://5f1c"}, result="5f1c", frames=1, painting=0, endpoint=0)
    wanted = Wanted(place="a.mp4", way="sea-mist", options={}, must=True)
    plan = BatchPlan(
        title="", at_once=1, notices=[], items=[Item(wanted=wanted, label="", fate="there", priced=priced)]
    )
    full.put_json(keys.batch("old", "plan.json"), plan.model_dump(mode="json"))
    assert not {"results", "videos"} & set(found(sweep(full, delete=True, **{**ALL, "batches": None})))
    assert {"batches", "results", "videos"} <= set(found(sweep(full, delete=True, **ALL)))


def test_scratch_of_which_no_run_is_known_is_left_for_a_day(full: Store) -> None:
    assert found(sweep(full, days=0.5, delete=True, scratch=1)) == {}
    assert found(sweep(full, days=1.5, delete=True, scratch=1)) == {"scratch": [keys.run("old")]}


def test_a_batch_that_is_not_over_keeps_all_of_it_whatever_its_age(full: Store) -> None:
    full.put_json(keys.batch("old", "wanted.json"), {"run": "the batch"})
    assert found(sweep(full, delete=True, alive=("the batch",), batches=7)).get("batches") is None
    assert found(sweep(full, delete=True, batches=7))["batches"] == [keys.batch("old")]


def test_what_comes_to_need_a_chunk_while_others_go_is_seen(store: Store) -> None:
    painted = sorted(f"{number:02}" for number in range(2 * AT_A_TIME))
    for digest in painted:
        store.put_json(keys.painted_record(digest), {})
    later = datetime.now(UTC) + timedelta(days=100)
    old = old_units(store, HousekeepingRequest(), later, lambda _, run: run == "late")
    first = next(old)[1]
    store.put_json(keys.needs("late"), Needs(run="late", video="5f1c", result="5f1c", painted=painted).model_dump())
    gone = [first.key, *(unit.key for _, unit in old)]
    assert gone == [keys.painted_record(digest).removesuffix(".json") for digest in painted[:AT_A_TIME]]


def test_an_upload_that_was_registered_keeps_what_its_owner_called_it(store: Store) -> None:
    for name in ("about.json", "content"):
        store.put_json(keys.incoming("acme.1", name), {})
    sweep(store, delete=True)
    assert [*store.below("incoming")] == [keys.incoming("acme.1", "about.json")]


def test_one_that_cannot_be_deleted_does_not_keep_the_others(full: Store) -> None:
    for run in ("old", "other"):
        full.put_json(keys.needs(run), Needs(run=run, video="5f1c", result="5f1c", painted=[]).model_dump())
    full.put_json(keys.budget("old"), Budget(frames=1, paid="5f1c").model_dump())

    def no_connection() -> Endpoint:
        raise LookupError("there is no connection")

    report = sweep(full, delete=True, connect=no_connection, **ALL)
    assert report.notices == [f"{keys.run('old')} stays, since it cannot be deleted: there is no connection"]
    assert found(report)["scratch"] == [keys.run("other")]
    assert set(found(report)) == set(KINDS)
    assert full.get_json(keys.housekeeping("sweep"))["notices"] == report.notices


def test_parts_of_an_upload_that_nobody_ended_go(nanio: S3Server, tmp_path: Path) -> None:
    s3_store = S3Store(bucket(nanio), tmp_path / "scratch")  # moto says of every upload that it began in 2010
    upload = s3_store.begin_parts(keys.incoming("acme.2", "content"))
    assert found(sweep(s3_store, days=3, delete=True)) == {}
    assert found(sweep(s3_store, days=8))["uploads"] == [keys.incoming("acme.2", "content")]
    assert [one for _, one in s3_store.unfinished()] == [upload]
    sweep(s3_store, days=8, delete=True)
    assert [*s3_store.unfinished()] == []


def test_what_a_killed_process_left_goes(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    for place in ("tmp/work-1/document.json", f"{keys.run('killed')}/work-2/source"):
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).write_text("x")
        os.utime(tmp_path / place)
    assert found(sweep(store, days=3, delete=True)) == {"scratch": [keys.run("killed"), "tmp/work-1"]}
    assert not list(tmp_path.rglob("work-*"))


def test_a_request_says_what_it_needs_before_it_relies_on_it(tmp_path: Path, clip: Path) -> None:
    store = FolderStore(tmp_path)
    key, plan = split(Request.parse({"source": str(clip), "filter": "identity"}), store, "one", 1, 1)
    for chunk in plan.chunks:
        paint_chunk(store, key, chunk.index, "one", 1)
    before = set(store.below("painted"))
    assert "painted" not in found(sweep(store, alive=("one",), delete=True, **ALL))
    assert set(store.below("painted")) == before
    sweep(store, delete=True, **ALL)
    assert not [*store.below("painted")]


@pytest.mark.parametrize("fields", [{"painted": -1}, {"painted": 0.5}, {"painted": "long"}, {"paint": 1}])
def test_bad_values_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(Refused, match=next(iter(fields))):
        HousekeepingRequest.parse(fields)
