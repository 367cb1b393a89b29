"""The journey of a caller through the API, over real HTTP, whatever the store."""

import json
from pathlib import Path

from tests.api.client import Caller, events
from tests.media import make_video, sound_hash, timestamps


def journey(caller: Caller, folder: Path) -> None:
    clip = make_video(folder / "journey.mp4", frames=60, size="320x180")
    video = caller.uploaded(clip)
    assert (video["state"], video["facts"]["frames"], video["facts"]["frame_rate"]) == ("ready", 60, "25")
    assert video["id"] in [one["id"] for one in caller.get("/videos").json()["items"]]
    assert caller.get(f"/videos/{video['id']}/manifest").json()["sha256"] == video["sha256"]
    assert caller.get(f"/videos/{video['id']}/probe-report").json()["cut"] == "copy"

    sheet = caller.made("/contact-sheets", {"video": video["id"], "filters": ["sea-mist"], "size": "240p"})
    assert caller.get(f"/contact-sheets/{sheet['id']}/picture").content[:2] == b"\xff\xd8"
    assert "sea-mist-1.jpg" in caller.get(f"/contact-sheets/{sheet['id']}/files/index.html").text

    wish = {"video": video["id"], "filter": "sea-mist", "chunk_frames": 20}
    estimate = caller.post("/estimates", wish).json()
    assert (estimate["frames"], estimate["chunks"], estimate["calls"]) == (60, 3, 0)

    once = {"headers": {"Idempotency-Key": "journey"}}
    first, second = caller.post("/rotoscopes", wish, **once), caller.post("/rotoscopes", wish, **once)
    assert (first.status_code, first.headers["Retry-After"]) == (202, "2")
    assert first.json()["id"] == second.json()["id"]
    other = caller.post("/rotoscopes", {**wish, "strength": 0.5}, **once)
    assert (other.status_code, other.json()["type"].rpartition("/")[2]) == (422, "key-reused")
    place = first.headers["Location"]

    seen = events(caller.get(f"{place}/events", stream=True))
    assert [event["event"] for event in seen][-1] == "end"
    assert len({event["id"] for event in seen}) == len(seen)
    assert json.loads(seen[-1]["data"])["state"] == "succeeded"
    shares = [json.loads(event["data"])["progress"] for event in seen[:-1]]
    assert all(share is None or 0 <= share["share"] <= 1 for share in shares)
    again = events(caller.get(f"{place}/events", stream=True, headers={"Last-Event-ID": seen[-2]["id"]}))
    assert [event["event"] for event in again] == ["end"], "what was seen is not sent again"

    result = caller.get(f"{place}/result")
    painted = folder / "painted.mp4"
    painted.write_bytes(result.content)
    if not result.history:  # what stands behind a link says so only if its server knows how
        assert result.headers["Content-Type"] == "video/mp4"
    assert timestamps(painted) == timestamps(clip)
    assert sound_hash(painted) == sound_hash(clip)
    part = caller.get(f"{place}/result", headers={"Range": "bytes=0-99"})
    assert (part.status_code, part.content) == (206, result.content[:100])
    for picture in ("poster", "before-after", "chunks/0/thumbnail"):
        assert caller.get(f"{place}/{picture}").content[:2] == b"\xff\xd8"
    assert caller.get(f"{place}/quality-report").json()["frames"] == {"expected": 60, "result": 60}
    assert caller.get(f"{place}/provenance").json()["request"]["filter"] == "sea-mist"
    assert caller.get(f"{place}/cost").json()["frames"] == 60

    chunks = caller.get(f"{place}/chunks", params={"limit": 2}).json()
    assert [chunk["state"] for chunk in chunks["items"]] == ["painted"] * 2
    rest = caller.get(f"{place}/chunks", params={"limit": 2, "cursor": chunks["next_cursor"]}).json()
    assert [chunk["index"] for chunk in chunks["items"] + rest["items"]] == [0, 1, 2]
    assert rest["next_cursor"] is None
    assert caller.post(f"{place}/chunks/1/retry").status_code == 202
    caller.until(place, "succeeded")
    tries = [chunk["tries"] for chunk in caller.get(f"{place}/chunks").json()["items"]]
    assert tries == [1, 2, 1], "one chunk was painted again"
    assert caller.get(f"{place}/result").content == result.content

    _cancelled_and_taken_up_again(caller, folder)
    _deleted(caller, place, video["id"])


def _cancelled_and_taken_up_again(caller: Caller, folder: Path) -> None:
    long = caller.uploaded(make_video(folder / "long.mp4", frames=400, size="640x360", gop=50))
    place = caller.post("/rotoscopes", {"video": long["id"], "filter": "lava-glow"}).headers["Location"]
    caller.until(place, "running")
    assert caller.call("DELETE", place).status_code == 409
    assert caller.post(f"{place}/cancellation").json()["state"] in ("cancelling", "cancelled")
    caller.until(place, "cancelled")
    assert caller.get(f"{place}/result").status_code == 409
    assert place.rpartition("/")[2] in [
        one["id"] for one in caller.get("/rotoscopes", params={"state": "cancelled"}).json()["items"]
    ]
    assert caller.post(f"{place}/retry").status_code == 202
    caller.until(place, "running")
    assert caller.post(f"{place}/cancellation").status_code == 202
    caller.until(place, "cancelled")


def _deleted(caller: Caller, place: str, video_id: str) -> None:
    assert caller.call("DELETE", place).status_code == 204
    assert caller.get(place).status_code == 404
    assert caller.call("DELETE", f"/videos/{video_id}").status_code == 204
    assert caller.get(f"/videos/{video_id}").status_code == 404
    assert caller.get(f"/videos/{video_id}/manifest").status_code == 404
