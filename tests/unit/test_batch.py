"""Batches without Airflow: manifests, places, windows, schedules, and what a plan decides."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pendulum
import pytest
from tools.local import free_port

from rotoscope import fetch
from rotoscope.batch import ids
from rotoscope.batch.inbox import Inbox
from rotoscope.batch.manifest import MOST_BYTES, Entry, Manifest
from rotoscope.batch.places import find
from rotoscope.batch.plan import Found, Priced, make_plan
from rotoscope.batch.report import make_report
from rotoscope.batch.request import BatchRequest
from rotoscope.batch.schedule import Schedule, schedules
from rotoscope.batch.wanted import Wanted, wanted
from rotoscope.batch.window import Window
from rotoscope.errors import Refused
from rotoscope.steps.batch import bring_video, names, read_manifest
from rotoscope.store import keys
from rotoscope.store.folder import FolderStore

WHEN = datetime(2026, 11, 25, 22, 30, tzinfo=UTC)
YAML = """
title: Night of {{ ds }}
entries:
  - videos: inbox/{{ ds_nodash }}/
    chains: [sea-mist, {filter: lava-glow, then: [oil:0.5]}]
    presets: steady
    options: {size: 360p}
"""
CSV = """video,chain,preset,size,must
a.mp4;b.mp4,sea-mist,,360p,
c.mp4,halftone,steady,,false
"""


def test_a_manifest_is_yaml_json_or_csv() -> None:
    manifest = Manifest.read(YAML, ".yaml", WHEN)
    assert manifest.title == "Night of 2026-11-25"
    assert manifest.entries[0].videos == ["inbox/20261125/"]
    assert Manifest.read(manifest.model_dump_json(), ".json", WHEN) == manifest
    first, second = Manifest.read(CSV, ".csv", WHEN).entries
    assert first == Entry(videos=["a.mp4", "b.mp4"], chains=["sea-mist"], options={"size": "360p"})
    assert second == Entry(videos=["c.mp4"], chains=["halftone"], presets=["steady"], must=False)


def test_a_table_that_excel_saved_is_read(store: FolderStore) -> None:
    path = store.root / "manifests" / "night.csv"
    path.parent.mkdir(parents=True)
    path.write_text(CSV, encoding="utf-8-sig")
    assert read_manifest(store, "night", None, WHEN) == Manifest.read(CSV, ".csv", WHEN)


@pytest.mark.parametrize(
    ("text", "suffix", "says"),
    [
        ("entries: [", ".yaml", "neither YAML nor JSON in line 1"),
        ("entries: []", ".yaml", "entries is [], but list should have at least 1 item"),
        ("hello", ".yaml", "The manifest"),
        ("entries: [{videos: a.mp4, colour: red}]", ".yaml", "entries.0.colour is not a field"),
        ("entries: [{chains: sea-mist}]", ".yaml", "entries.0.videos is missing."),
        ("title: '{{ secret }}'", ".yaml", "has {{ secret }}; it may have {{ ds }}"),
        ("title: '{{ ds.__class__.__mro__ }}'", ".yaml", "it may have {{ ds }}"),
        ("chain\nsea-mist\n", ".csv", "column video"),
        ("video,chain\na.mp4,b,c\n", ".csv", "more or fewer cells"),
        ("x" * (MOST_BYTES + 1), ".yaml", "at most"),
        ("a: &a [x]\nb: !!python/object/apply:os.system [ls]", ".yaml", "neither YAML nor JSON"),
    ],
)
def test_a_bad_manifest_is_told_in_a_sentence(text: str, suffix: str, says: str) -> None:
    with pytest.raises(Refused) as refused:
        Manifest.read(text, suffix, WHEN)
    assert says in str(refused.value)


def put(store: FolderStore, *names: str) -> None:
    for name in names:
        path = store.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def nothing(begin: str) -> list[str]:
    raise AssertionError(f"{begin} was listed")


@pytest.mark.parametrize(
    ("place", "those"),
    [
        ("inbox/", ["inbox/a.mp4", "inbox/b [1].MOV", "inbox/deep/c.mkv"]),
        ("inbox/*", ["inbox/a.mp4", "inbox/b [1].MOV", "inbox/notes.txt"]),
        ("inbox/*.mp4", ["inbox/a.mp4"]),
        ("inbox/**/*.mkv", ["inbox/deep/c.mkv"]),
        ("inbox/b [1].MOV", ["inbox/b [1].MOV"]),
        ("store://inbox/b [1].MOV", ["inbox/b [1].MOV"]),
        ("gone.mp4", ["gone.mp4"]),
        ("nowhere/", []),
    ],
)
def test_a_place_in_the_store_stands_for_videos(store: FolderStore, place: str, those: list[str]) -> None:
    put(store, "inbox/a.mp4", "inbox/b [1].MOV", "inbox/deep/c.mkv", "inbox/notes.txt", "inbox/.part.mp4", "d/d.mp4")
    assert find(place, store, nothing) == [f"store://{name}" for name in those]


def test_places_elsewhere(store: FolderStore, tmp_path: Path) -> None:
    for name in ("a.mp4", "b [1].mp4", "c.txt"):
        (tmp_path / name).write_bytes(b"x")
    a, b = (str(tmp_path / name) for name in ("a.mp4", "b [1].mp4"))
    assert find(f"{tmp_path}/", store, nothing) == [a, b]
    assert find(f"{tmp_path}/?.mp4", store, nothing) == [a]
    assert find(b, store, nothing) == [b]
    there = ["s3://films/in/a.mp4", "s3://films/in/x/b.mp4", "s3://films/inner.mp4"]
    assert find("s3://films/in/*.mp4", store, lambda begin: there) == there[:1]
    assert find("s3://films/in/", store, lambda begin: [one for one in there if one.startswith(begin)]) == there[:2]
    assert find("https://example.com/a.mp4", store, nothing) == ["https://example.com/a.mp4"]
    for place, says in (("https://example.com/*.mp4", "no list"), ("*.mp4", "name a folder")):
        with pytest.raises(Refused, match=says):
            find(place, store, nothing)


def test_every_video_by_every_chain_under_every_preset() -> None:
    entry = {"videos": ["a.mp4", "a.mp4"], "chains": ["sea-mist", {"filter": "oil", "then": ["pencil:0.5"]}]}
    manifest = Manifest.of({"entries": [{**entry, "presets": ["fast", "steady"], "options": {"size": "240p"}}]})
    found, _ = wanted(manifest, lambda place: [place])
    assert [one.way for one in found] == [
        *("sea-mist, fast", "sea-mist, steady", "oil + pencil:0.5, fast", "oil + pencil:0.5, steady")
    ]
    assert found[1].options == {"filter": "sea-mist", "key_frames": True, "size": "240p"}


def test_everything_wrong_is_told_at_once() -> None:
    entries = [{"videos": "a.mp4", "chains": "no"}, {"videos": "b.mp4", "presets": "no"}, {"videos": "c.mp4"}]
    with pytest.raises(Refused) as refused:
        wanted(Manifest.of({"entries": [*entries, {"videos": "d.mp4", "options": {"source": "/etc/passwd"}}]}), list)
    said = str(refused.value)
    assert [number for number in range(4) if f"entries.{number}:" in said] == [0, 1, 3]


def found(label: str, result: str, frames: int, must: bool = True) -> Found:
    one = Wanted(place=f"{label}.mp4", way="oil", options={}, must=must)
    priced = Priced(conf={"source": result}, result=result, frames=frames, painting=frames * 0.5, endpoint=0)
    return Found(wanted=one, name=label, priced=priced)


def test_a_plan_skips_what_is_there_or_twice_and_keeps_its_caps() -> None:
    broken = Found(wanted=Wanted(place="x.mp4", way="oil", options={}, must=False), name="x", refused="It is broken.")
    asked = [
        found("a", "1", 10),
        broken,
        found("b", "1", 10),
        found("c", "2", 10),
        found("d", "3", 95),
        found("e", "4", 9),
    ]
    manifest = Manifest.of({"entries": [{"videos": "a"}], "most_frames": 100, "most_cost": 9})
    plan = make_plan(manifest, asked, {"2"}, "acme.r0f", [])
    assert [item.fate for item in plan.items] == ["paint", "refused", "same", "there", "over", "over"]
    assert "100 at most 10 are planned" in plan.items[4].why
    assert "4.5 USD" in plan.items[5].why
    (run,) = [item.run for item in plan.to_paint]
    assert run.startswith("acme.rbatch-")
    assert ids.is_of_batch(run)

    report = make_report(plan, lambda digest: None, lambda run: "It broke.")
    assert [(row.label, row.state) for row in report.rows if row.state == "failed"] == [
        ("a, oil", "failed"),
        ("x, oil", "failed"),
    ]
    assert report.rows[0].reason == "It broke."
    assert {row.label for row in report.missing} == {"a, oil", "b, oil", "c, oil", "d, oil", "e, oil"}


@pytest.mark.parametrize(
    ("run_id", "is_one"),
    [
        ("batch-0123456789abcdef0123", True),
        ("acme.rbatch-0123456789abcdef0123", True),
        ("acme.r5f1c0f6f0a9e4b1c8d7e6f5a", False),
        ("manual__2026-11-25T01:20:36.979388+00:00", False),
        ("my-batch-0123456789abcdef0123", False),
    ],
)
def test_which_runs_are_of_a_batch(run_id: str, is_one: bool) -> None:
    assert ids.is_of_batch(run_id) is is_one


@pytest.mark.parametrize(
    ("window", "now", "hours"),
    [
        ("22:00-06:00", "2026-11-25T23:00", 0),
        ("22:00-06:00", "2026-11-25T05:59", 0),
        ("22:00-06:00", "2026-11-25T06:00", 16),
        ("09:00-17:00", "2026-11-25T08:00", 1),
        ("09:00-17:00", "2026-11-25T17:00", 16),
        ("22:00-06:00", "2026-03-28T12:00", 10),
        ("04:00-05:00", "2026-03-29T00:00", 3),  # the night in which the clocks go forward
    ],
)
def test_a_window_opens_by_its_own_clock(window: str, now: str, hours: float) -> None:
    when = pendulum.parse(now, tz="Europe/Berlin")
    assert isinstance(when, pendulum.DateTime)
    assert Window.parse(window, "Europe/Berlin").wait(when.in_timezone("UTC")) == hours * 3600


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "one of the two"),
        ({"batch": "a", "manifest": "entries: []"}, "one of the two"),
        ({"batch": "a", "window": "25:00-26:00"}, "is no window"),
        ({"batch": "a", "window": "01:00-01:00"}, "is empty"),
        ({"batch": "a", "zone": "Mars/Base"}, "is no time zone"),
        ({"batch": "a", "date": "2026-02-30"}, "is no date"),
        ({"batch": "a", "plan": "gold"}, "There is no plan"),
    ],
)
def test_a_batch_is_asked_for_in_full(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(Refused, match=says):
        BatchRequest.parse(fields)


def test_a_batchs_date_is_that_of_its_zone() -> None:
    request = BatchRequest.parse({"batch": "a", "zone": "Europe/Berlin"})
    assert f"{request.when(datetime(2026, 11, 24, 23, 30, tzinfo=UTC)):%Y-%m-%d}" == "2026-11-25"
    given = BatchRequest.parse({"batch": "a", "zone": "Europe/Berlin", "date": "2026-11-20"})
    assert given.when(WHEN).isoformat() == "2026-11-20T00:00:00+01:00"


def test_a_manifest_is_found_by_its_name(store: FolderStore) -> None:
    put(store, "manifests/night.yaml")
    (store.root / "manifests" / "night.yaml").write_text(YAML)
    assert read_manifest(store, "night", "", WHEN).title == "Night of 2026-11-25"
    assert "night" in names(store)
    for name, says in (("day", "night"), ("../night", "no name of a batch")):
        with pytest.raises(Refused, match=says):
            read_manifest(store, name, "", WHEN)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"batch": "a"}, "Say when by one of cron, every and inbox."),
        ({"cron": "0 1 * * *", "every": 60, "batch": "a"}, "Say when by one of"),
        ({"cron": "0 1 * * *"}, "Name a batch, or give its manifest"),
        ({"cron": "0 1 * * * *", "batch": "a"}, "five fields"),
        ({"cron": "0 25 * * *", "batch": "a"}, "five fields"),
        ({"every": 1, "batch": "a"}, "every is 1, but"),
        ({"inbox": "in/", "batch": "a"}, "An inbox has paint"),
        ({"inbox": "in/", "paint": {"chains": []}}, "paint.chains"),
        ({"cron": "0 1 * * *", "batch": "a", "zone": "Mars"}, "no time zone"),
        ({"cron": "0 1 * * *", "batch": "a", "window": "1-2"}, "no window"),
        ({"cron": "0 1 * * *", "batch": "a", "name": "../x"}, "name cannot be '../x'"),
    ],
)
def test_a_bad_schedule_is_told_in_a_sentence(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(Refused) as refused:
        Schedule.of({"name": "nightly", **fields})
    assert says in str(refused.value)


def test_a_bad_schedule_does_not_hide_the_others(store: FolderStore) -> None:
    store.put_json(keys.schedule("good"), {"name": "good", "every": 3600, "batch": "a"})
    store.put_json(keys.schedule("bad"), {"name": "bad", "every": "often"})
    put(store, "schedules/broken.json")
    assert list(schedules(store)) == ["good"]


def test_an_inbox_hands_on_whole_videos_once(store: FolderStore) -> None:
    put(store, "in/a.mp4")
    inbox = Inbox(store, "arrivals", "in/", nothing)
    assert inbox.look() == []  # it may still grow
    assert inbox.look() == ["store://in/a.mp4"]
    put(store, "in/b.mp4")
    inbox.hand_on(["store://in/a.mp4"])
    assert inbox.look() == []
    (store.root / "in" / "b.mp4").write_bytes(b"more")
    assert inbox.look() == []
    assert inbox.look() == ["store://in/b.mp4"]
    again = Inbox(store, "arrivals", "in/", nothing)
    again.look()
    assert again.look() == ["store://in/b.mp4"]
    (store.root / "in" / "a.mp4").write_bytes(b"another film of that name")
    again.look()
    assert again.look() == ["store://in/a.mp4", "store://in/b.mp4"]


def test_a_video_that_does_not_come_is_asked_for_again_and_left_out_at_last(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch, set_limit: Callable[[str, str], None]
) -> None:
    monkeypatch.setattr(fetch, "WAIT_SECONDS", 0)
    set_limit("FETCH_NETWORKS", "127.0.0.1/32")
    place = f"http://127.0.0.1:{free_port()}/pier.mp4"
    with pytest.raises(fetch.FetchFailed):
        bring_video(store, place, "night", fetch.fetch)
    assert "pier.mp4 could not be fetched" in bring_video(store, place, "night", fetch.fetch, Exception)["refused"]


def test_an_inbox_that_is_started_by_hand_paints_all_that_is_there() -> None:
    inbox = Schedule.of({"name": "arrivals", "inbox": "in/", "paint": {"chains": ["oil"]}})
    assert inbox.conf([], "2026-11-25")["manifest"]["entries"][0]["videos"] == ["in/"]
