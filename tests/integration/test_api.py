"""The API of a running Airflow, over HTTP: the journey, who may do what, and its manners."""

import io
import json
import re
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from PIL import Image
from tools.local import CHECKOUT, LocalAirflow

from rotoscope.store import keys
from rotoscope.store.folder import FolderStore
from tests.api.client import PREFIX, WAIT, Caller
from tests.api.journey import journey
from tests.media import frames_of, make_video

pytestmark = pytest.mark.xdist_group("airflow")  # the one that the other requests go to
SCOPES = [
    f"{what}:{right}"
    for what in ("videos", "frames", "filters", "sheets", "rotoscopes", "batches", "webhooks")
    for right in ("read", "write")
]
PICTURE = CHECKOUT / "include" / "filters" / "previews" / "sea-mist.jpg"
DOCUMENT: dict[str, Any] = json.loads((CHECKOUT / "include" / "api" / "openapi.json").read_text())
OPERATIONS = [
    (method.upper(), path, operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if operation["tags"] != ["Documents"]
]
NAMES = [f"{method} {path}" for method, path, _ in OPERATIONS]


@pytest.fixture(scope="session")
def admin(airflow: LocalAirflow) -> Caller:
    return Caller(airflow.url, airflow.token)


@pytest.fixture(scope="session")
def nobody(airflow: LocalAirflow) -> Caller:
    return Caller(airflow.url, None)


def partner(admin: Caller, tenant: str, scopes: list[str] = SCOPES, plan: str = "studio") -> Caller:
    key = admin.post("/keys", {"name": "A test", "tenant": tenant, "plan": plan, "scopes": scopes})
    assert key.status_code == 201, key.text
    return Caller(admin.base, key.json()["token"])


@pytest.fixture(scope="session")
def acme(admin: Caller) -> Caller:
    return partner(admin, "acme")


@pytest.fixture(scope="session")
def video(acme: Caller, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return acme.uploaded(make_video(tmp_path_factory.mktemp("api") / "acmes.mp4", frames=30))


def test_the_journey_with_a_folder(acme: Caller, tmp_path: Path) -> None:
    journey(acme, tmp_path)


@pytest.mark.slow
def test_200_creates_with_one_key_make_one_run(acme: Caller, admin: Caller, video: dict[str, Any]) -> None:
    wish, key = {"video": video["id"], "filter": "identity"}, {"Idempotency-Key": "two-hundred"}
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: acme.post("/rotoscopes", wish, headers=key), range(200)))
    assert {answer.status_code for answer in answers} <= {201, 202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    listed = acme.get("/rotoscopes", params={"video": video["id"], "filter": "identity"}).json()["items"]
    assert len(listed) == 1
    acme.until(f"/rotoscopes/{listed[0]['id']}", "succeeded")


@pytest.fixture(scope="session")
def things(acme: Caller, video: dict[str, Any]) -> dict[str, str]:
    """Ids of things of acme's, by the names of the parameters that take them."""
    made = acme.made("/rotoscopes", {"video": video["id"], "filter": "halftone"})
    sheet = acme.made("/contact-sheets", {"video": video["id"], "filters": ["halftone"]})
    picture = acme.call("POST", "/pictures", data=PICTURE.read_bytes(), headers={"Content-Type": "image/jpeg"}).json()
    creation = acme.made("/filters", {"name": "misty", "picture": picture["id"]})
    frames = acme.made("/frame-sets", {"video": video["id"], "every": 10})
    webhook = acme.made("/webhooks", {"url": "http://127.0.0.1:9/", "events": ["rotoscope.ended"]})
    return {
        "video_id": video["id"],
        "rotoscope_id": made["id"],
        "sheet_id": sheet["id"],
        "creation_id": creation["id"],
        "training_id": creation["id"],
        "name": "acme.misty",
        "index": "0",
        "set_id": frames["id"],
        "webhook_id": webhook["id"],
        "delivery_id": "msg_" + 32 * "0",
    }


def request_of(method: str, path: str, operation: dict[str, Any], things: dict[str, str]) -> dict[str, Any]:
    """A call of an operation as its document shows it, about these things."""
    place = re.sub(r"\{(\w+)\}", lambda found: things.get(found[1], "5f1c0f6f0a9e4b1c"), path)
    place = place.replace("/files/acme.misty", "/files/index.html").replace("/presets/acme.misty", "/presets/fast")
    place = place.replace("/frames/acme.misty", "/frames/00000000.png")
    kinds = operation.get("requestBody", {}).get("content", {})
    options: dict[str, Any] = {}
    if "application/json" in kinds:
        examples = kinds["application/json"].get("examples", {"none": {"value": {}}})
        body = next(iter(examples.values()))["value"]
        options["json"] = {**body, "video": things["video_id"]} if "video" in body else body
    elif kinds:
        options = {"data": b"...", "headers": {"Content-Type": next(iter(kinds))}}
    required = [one for one in operation.get("parameters", []) if one["in"] == "query" and one.get("required")]
    options["params"] = {one["name"]: one["example"] for one in required}
    return {"method": method, "path": place, **options}


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=NAMES)
def test_a_route_lets_in_only_who_may(
    method: str,
    path: str,
    operation: dict[str, Any],
    things: dict[str, str],
    admin: Caller,
    nobody: Caller,
    strangers: dict[str, Caller],
) -> None:
    asked = request_of(method, path, operation, things)
    anonymous = nobody.call(**asked)
    assert (anonymous.status_code, anonymous.headers["WWW-Authenticate"]) == (401, 'Bearer realm="rotoscope"')
    forged = Caller(nobody.base, "rsk_5f1c0f6f0a9e4b1c_" + 64 * "0").call(**asked)
    assert forged.status_code == 401

    assert operation["x-scopes"], "a route says which scope it needs"
    small = strangers["small"].call(**asked)
    assert (small.status_code, kind_of(small)) == (403, "forbidden")
    assert operation["x-scopes"][0] in small.json()["detail"]

    over = strangers["over"].call(**asked)
    assert (over.status_code, kind_of(over)) == (429, "too-many-requests")
    assert int(over.headers["Retry-After"]) > 0
    assert over.headers["RateLimit"].startswith('"requests";r=0;t=')

    if "{" in path and not path.startswith(("/keys", "/presets", "/schedules")):
        stranger = strangers["other"].call(**asked)
        assert (stranger.status_code, kind_of(stranger)) == (404, "not-found"), stranger.text


@pytest.fixture(scope="session")
def strangers(admin: Caller) -> dict[str, Caller]:
    """Keys of another tenant; with a scope that is too small; over its limit."""
    over = partner(admin, "overdone", ["usage:read"], plan="starter")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: over.get("/usage"), range(130)))
    return {"other": partner(admin, "globex"), "small": partner(admin, "small", ["status:write"]), "over": over}


def kind_of(answer: requests.Response) -> str:
    """The kind of a problem document, which is whole."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    document = answer.json()
    assert document.keys() == {"type", "title", "status", "detail", "instance", "request_id", "errors"}
    assert document["status"] == answer.status_code
    assert document["request_id"] == answer.headers["X-Request-Id"]
    return document["type"].removeprefix(f"{PREFIX}/problems/")


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "kind", "says"),
    [
        ("GET", "/nowhere", {}, 404, "not-found", "nothing at this path"),
        ("PATCH", "/videos", {"json": {}}, 405, "method-not-allowed", "has GET, POST, and not PATCH"),
        (
            "POST",
            "/videos",
            {"data": b"{]", "headers": {"Content-Type": "application/json"}},
            400,
            "bad-request",
            "not JSON",
        ),
        (
            "POST",
            "/videos",
            {"data": b"<a/>", "headers": {"Content-Type": "text/xml"}},
            415,
            "unsupported-media-type",
            "JSON",
        ),
        ("POST", "/videos", {"json": {"url": "x" * 2**20}}, 413, "too-large", "1048576"),
        ("POST", "/videos", {"json": {"url": "file:///etc/passwd"}}, 422, "invalid", "url cannot be"),
        ("POST", "/videos", {"json": {"url": "s3://bucket/key"}}, 403, "forbidden", "https"),
        ("GET", "/videos?limit=1000", {}, 422, "invalid", "limit"),
        ("GET", "/videos?cursor=x", {}, 422, "invalid", "cursor"),
        ("GET", "/filters?cursor=x", {}, 422, "invalid", "cursor"),
        (
            "DELETE",
            "/filters/misty@1",
            {},
            422,
            "invalid",
            "name cannot be 'misty@1'. Of the filter, without a version.",
        ),
        ("GET", "/filters/sea-mist@1", {}, 404, "not-found", "choose one of sea-mist@1.0.0"),
        ("POST", "/rotoscopes", {"json": {"video": "acme.none"}}, 404, "not-found", "no video acme.none"),
        ("POST", "/webhooks", {"json": {"url": "http://10.0.0.1/"}}, 422, "refused", "not a public address"),
        ("POST", "/webhooks", {"json": {"url": "http://[::ffff:10.0.0.1]/"}}, 422, "refused", "not a public address"),
        ("GET", "/rotoscopes/globex.1", {}, 404, "not-found", "globex.1"),
        (
            "POST",
            "/filtered-pictures?filter=sea-mist",
            {"data": b"no picture"},
            422,
            "refused",
            "Send a PNG, JPEG or WebP",
        ),
        ("POST", "/filtered-pictures?filter=globex.x", {"data": b""}, 422, "refused", "no filter 'globex.x'"),
    ],
)
def test_bad_requests_get_one_sentence(
    acme: Caller, method: str, path: str, options: dict[str, Any], status: int, kind: str, says: str
) -> None:
    answer = acme.call(method, path, **options)
    assert (answer.status_code, kind_of(answer)) == (status, kind)
    assert says in answer.json()["detail"]
    assert requests.get(acme.base + answer.json()["type"], timeout=30).status_code == 200, "its type leads to a page"


def test_values_that_cannot_be_used_are_pointed_at(acme: Caller, video: dict[str, Any]) -> None:
    answer = acme.post("/rotoscopes", {"video": video["id"], "strength": 3, "filtr": "oil"})
    assert kind_of(answer) == "invalid"
    said = {fault["pointer"]: fault["detail"] for fault in answer.json()["errors"]}
    assert said.keys() == {"/strength", "/filtr"}
    assert said["/strength"] == "strength is 3, but it should be less than or equal to 1."
    assert said["/filtr"].startswith("filtr is not a field of a request; did you mean filter? The fields are filter, ")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"filter": "nope"}, "There is no filter 'nope'"),
        ({"start": "5", "end": "4"}, "is empty"),
        ({"mask": "/etc/passwd"}, "mask is a box"),
        ({"preset": "nope"}, "There is no preset 'nope'"),
        ({"start": "100"}, "it lasts 1.20 s"),
        ({"format": "mp4", "quality": 99}, "quality is 99"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_starts(
    acme: Caller, video: dict[str, Any], options: dict[str, Any], says: str
) -> None:
    before = acme.get("/usage").status_code, len(acme.get("/rotoscopes").json()["items"])
    answer = acme.post("/rotoscopes", {"video": video["id"], **options})
    assert (answer.status_code, kind_of(answer)) == (422, "refused")
    assert says in answer.json()["detail"]
    assert (acme.get("/usage").status_code, len(acme.get("/rotoscopes").json()["items"])) == before


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/videos", {}, "Give either url or upload or frame_set."),
        (
            "/videos",
            {"upload": {"name": "a.mp4", "nam": 1}},
            "upload.nam is not a field of a request; did you mean name?",
        ),
        (
            "/filters",
            {"name": "My Filter", "picture": "p"},
            "name cannot be 'My Filter'. Of the new filter: small letters",
        ),
        ("/webhooks", {"url": "ftp://x"}, "url cannot be 'ftp://x'. Whom to tell: an http(s) URL."),
        (
            "/batches",
            {"entries": [{"videos": ["a"], "chain": []}]},
            "entries.0.chain is not a field of a request; did you",
        ),
        ("/filter-trainings", {"name": "a", "styles": ["b c"], "content": ["d"]}, "styles.0 cannot be 'b c'. Pictures"),
    ],
)
def test_what_is_wrong_within_a_body_is_said_of_its_own_place(
    acme: Caller, path: str, body: dict[str, Any], says: str
) -> None:
    answer = acme.post(path, body)
    assert (answer.status_code, kind_of(answer)) == (422, "invalid")
    assert says in answer.json()["detail"]
    details = [fault["detail"] for fault in answer.json()["errors"]]
    assert len(details) == len(set(details))


def test_no_more_than_three_faults_are_said_and_the_rest_counted(acme: Caller, video: dict[str, Any]) -> None:
    wrong = {"strength": 3, "scale": 9, "fps": 0, "steady": 2, "chunk_frames": 0}
    answer = acme.post("/rotoscopes", {"video": video["id"], **wrong}).json()
    assert len(answer["errors"]) == 5
    assert answer["detail"].endswith(" And 2 more.")


def test_a_sheet_of_times_that_a_video_does_not_have_is_refused(acme: Caller, video: dict[str, Any]) -> None:
    answer = acme.post("/contact-sheets", {"video": video["id"], "filters": ["halftone"], "at": ["0", "1:00"]})
    assert (answer.status_code, kind_of(answer)) == (422, "refused")
    assert "there is no frame at 1:00" in answer.json()["detail"]


def test_an_upload_goes_on_where_it_broke_off_and_is_verified(acme: Caller, clip: Path) -> None:
    content = clip.read_bytes()
    wrong = {"name": "clip.mp4", "bytes": len(content), "sha256": 64 * "0"}
    video = acme.made("/videos", {"upload": wrong})
    place = video["upload"]["url"]

    def send(begin: int, end: int) -> requests.Response:
        ranged = {"Content-Range": f"bytes {begin}-{end - 1}/{len(content)}"}
        return acme.call("PUT", place, data=content[begin:end], headers=ranged)

    assert send(0, 1000).json()["received"] == 1000
    early = acme.post(video["upload"]["completion"])
    assert early.status_code == 422
    assert f"1000 of {len(content)} bytes are there" in early.json()["detail"]
    gap = send(2000, 3000)
    assert (gap.status_code, kind_of(gap)) == (416, "range-not-satisfiable")
    for none_of_it, status in (("", 422), ("bytes 9-1/10", 416), (f"bytes 1000-1999/{len(content) + 1}", 416)):
        refused = acme.call("PUT", place, data=content[1000:2000], headers={"Content-Range": none_of_it})
        assert refused.status_code == status, none_of_it
    assert acme.get(f"/videos/{video['id']}").json()["upload"]["received"] == 1000
    assert send(1000, len(content)).status_code == 200
    more = acme.call("PUT", place, data=content + b"x")
    assert more.status_code in (413, 416)
    failed = acme.post(video["upload"]["completion"], headers=WAIT).json()
    assert (failed["state"], "another SHA-256" in failed["failure"]) == ("failed", True)


def test_the_steps_on_their_own(acme: Caller, clip: Path, tmp_path: Path) -> None:
    video = acme.uploaded(clip)
    frames = acme.made("/frame-sets", {"video": video["id"], "start": "0.4", "archive": True})
    assert (frames["count"], frames["width"], frames["height"]) == (38, 160, 90)
    listed = acme.get(f"/frame-sets/{frames['id']}/frames", params={"limit": 3}).json()["items"]
    assert [(one["index"], one["at"]) for one in listed] == [(10, 0.0), (11, 0.04), (12, 0.08)]
    picture = acme.get(f"/frame-sets/{frames['id']}/frames/{listed[0]['name']}")
    shown = np.asarray(Image.open(io.BytesIO(picture.content))).astype(int)
    assert np.abs(frames_of(clip, (160, 90)) - shown).mean(axis=(1, 2, 3)).argmin() == 10
    archive = acme.get(f"/frame-sets/{frames['id']}/archive")
    assert len(zipfile.ZipFile(io.BytesIO(archive.content)).namelist()) == 38

    painted = acme.made("/frame-sets", {"frame_set": frames["id"], "filter": "sea-mist", "picture": "jpeg"})
    at_once = acme.made("/frame-sets", {"video": video["id"], "start": "0.4", "filter": "sea-mist", "picture": "jpeg"})
    name = listed[0]["name"].replace("png", "jpg")
    first, same = (acme.get(f"/frame-sets/{one['id']}/frames/{name}").content for one in (painted, at_once))
    assert first == same, "frames are painted as they are separated, or afterwards"
    assert painted["count"] == 38
    whole = acme.made("/videos", {"frame_set": painted["id"]})
    assert (whole["facts"]["frames"], whole["facts"]["sound_streams"]) == (38, 1)
    assert whole["facts"]["duration"] == 1.52
    slow = acme.made("/videos", {"frame_set": painted["id"], "fps": "10"})
    assert (slow["facts"]["duration"], slow["facts"]["sound_streams"]) == (3.8, 0)
    made = acme.made("/rotoscopes", {"video": whole["id"], "filter": "identity"})
    assert made["state"] == "succeeded"
    both = acme.post("/frame-sets", {"frame_set": painted["id"], "video": whole["id"]})
    assert (both.status_code, kind_of(both)) == (422, "invalid")
    assert acme.call("DELETE", f"/frame-sets/{frames['id']}").status_code == 204
    assert acme.get(f"/frame-sets/{frames['id']}/frames/{listed[0]['name']}").status_code == 404


def test_what_housekeeping_took_is_said_to_be_gone_and_breaks_no_list(
    acme: Caller, video: dict[str, Any], airflow_store: FolderStore
) -> None:
    kept = acme.made("/frame-sets", {"video": video["id"], "every": 9})
    gone = acme.made("/frame-sets", {"video": video["id"], "every": 11})
    airflow_store.delete(keys.frame_set(gone["id"]))
    states = {one["id"]: one["state"] for one in acme.get("/frame-sets").json()["items"]}
    assert (states[kept["id"]], states[gone["id"]]) == ("succeeded", "failed")
    assert acme.get(f"/frame-sets/{gone['id']}").json()["failure"] == "It is not in the store any more."
    assert acme.get(f"/frame-sets/{gone['id']}/frames").status_code == 404


def test_tenants_whose_names_are_alike_see_nothing_of_each_other(
    admin: Caller, acme: Caller, things: dict[str, str], clip: Path
) -> None:
    alike = partner(admin, "acme-two", [*SCOPES, "usage:read"])
    for path in ("/videos", "/rotoscopes", "/contact-sheets", "/frame-sets", "/webhooks"):
        assert alike.get(path, params={"limit": 100}).json()["items"] == [], path
    video = alike.uploaded(clip)
    made = alike.made("/rotoscopes", {"video": video["id"], "filter": "identity", "end": "1"})
    seen = [one["id"] for one in acme.get("/rotoscopes", params={"limit": 100}).json()["items"]]
    assert things["rotoscope_id"] in seen
    assert made["id"] not in seen
    assert alike.get("/usage").json()["frames"] == 25


@pytest.mark.slow
def test_a_result_that_somebody_else_has_is_not_painted_again_under_them(
    admin: Caller, acme: Caller, clip: Path
) -> None:
    globex = partner(admin, "globex")
    places = []
    for caller in (acme, globex):
        video = caller.uploaded(clip)
        made = caller.made("/rotoscopes", {"video": video["id"], "filter": "halftone", "end": "0.5"})
        places.append(f"/rotoscopes/{made['id']}")
    refused = acme.post(f"{places[0]}/chunks/0/retry")
    assert (refused.status_code, kind_of(refused)) == (409, "conflict")
    assert acme.call("DELETE", places[0]).status_code == 204
    assert globex.get(f"{places[1]}/result").status_code == 200, "one of two who have it let it go"
    assert globex.post(f"{places[1]}/chunks/0/retry").status_code == 202
    globex.until(places[1], "succeeded")


def test_a_plan_is_kept(admin: Caller, tmp_path: Path) -> None:
    caller = partner(admin, "tiny", [*SCOPES, "usage:read"], plan="starter")
    video = caller.uploaded(make_video(tmp_path / "short.mp4", frames=10))
    caller.made("/rotoscopes", {"video": video["id"], "filter": "identity"})
    usage = caller.get("/usage").json()
    assert (usage["frames"], usage["frames_left"], usage["plan"]) == (10, 19990, "starter")
    long = caller.uploaded(make_video(tmp_path / "long.mp4", frames=310, rate="1", size="64x64"))
    refused = caller.post("/rotoscopes", {"video": long["id"]})
    assert (refused.status_code, kind_of(refused)) == (403, "beyond-plan")
    sheet = {"video": video["id"], "filters": ["halftone"], "at": ["0", "0.2"]}
    caller.made("/contact-sheets", sheet)
    assert caller.get("/usage").json()["frames"] == 12
    wish = {"video": video["id"], "filter": "starlit-swirl", "chunk_frames": 5}
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda n: caller.post("/rotoscopes", {**wish, "strength": n / 10}), range(1, 7)))
    assert sorted(answer.status_code for answer in answers) == [202, 202, 429, 429, 429, 429]
    assert {kind_of(answer) for answer in answers if answer.status_code == 429} == {"plan-used-up"}
    usage = caller.get("/usage").json()
    assert (usage["frames"], usage["jobs"]) == (32, 2)
    batch = {"entries": [{"videos": [video["id"]], "chains": ["identity"]}]}
    for path, body in (("/contact-sheets", sheet), ("/frame-sets", {"video": video["id"]}), ("/batches", batch)):
        refused = caller.post(path, body)
        assert (refused.status_code, kind_of(refused)) == (429, "plan-used-up")


def test_a_key_is_shown_once_rotated_and_revoked(admin: Caller) -> None:
    body = {"name": "Once", "tenant": "once", "plan": "starter", "scopes": ["usage:read"]}
    again = {"Idempotency-Key": "once"}
    first, second = (admin.post("/keys", body, headers=again).json() for _ in range(2))
    assert (first["id"], second["token"]) == (second["id"], None)
    key = Caller(admin.base, first["token"])
    assert key.get("/usage").json()["tenant"] == "once"
    place = f"/keys/{first['id']}"
    shown = admin.get(place)
    assert first["token"] not in shown.text
    assert "secret" not in shown.text
    rotated = admin.post(f"{place}/rotation", headers={"If-Match": shown.headers["ETag"]}).json()
    assert key.get("/usage").status_code == 401
    assert Caller(admin.base, rotated["token"]).get("/usage").status_code == 200
    stale = admin.call("DELETE", place, headers={"If-Match": shown.headers["ETag"]})
    assert (stale.status_code, kind_of(stale)) == (412, "precondition-failed")
    assert admin.call("DELETE", place).status_code == 204
    assert Caller(admin.base, rotated["token"]).get("/usage").status_code == 401
    assert first["id"] in [one["id"] for one in admin.get("/keys").json()["items"]]


def test_a_filter_of_a_partner_is_theirs_alone(acme: Caller, admin: Caller, things: dict[str, str]) -> None:
    globex = partner(admin, "globex")
    assert "acme.misty" in [one["name"] for one in acme.get("/filters?search=misty").json()["items"]]
    assert globex.get("/filters?search=misty").json()["items"] == []
    assert globex.get("/filters/acme.misty").status_code == 404
    assert globex.get("/filters/acme.misty@1").status_code == 404
    assert acme.get("/filters/acme.misty@1").json() == acme.get("/filters/acme.misty").json()
    assert acme.get("/filters/acme.misty@1/preview").content[:2] == b"\xff\xd8"
    assert acme.get("/filters/acme.misty@7").status_code == 404
    assert acme.get("/filters/sea-mist@1.0.0").json()["built_in"]
    assert acme.call("DELETE", "/filters/sea-mist").status_code == 409
    painted = acme.call("POST", "/filtered-pictures?filter=acme.misty&output=png", data=PICTURE.read_bytes())
    assert painted.content[:4] == b"\x89PNG"
    made = acme.made("/rotoscopes", {"video": things["video_id"], "filter": "acme.misty", "end": "0.2"})
    assert made["state"] == "succeeded"
    assert acme.call("DELETE", "/filters/acme.misty").status_code == 409
    assert acme.post("/filters/acme.misty/retirement").status_code == 204
    assert acme.get("/filters?search=misty").json()["items"] == []
    refused = acme.post("/rotoscopes", {"video": things["video_id"], "filter": "acme.misty"})
    assert "retired" in refused.json()["detail"]


def test_the_served_document_is_that_of_the_repository(nobody: Caller) -> None:
    assert nobody.get("/openapi.json").json() == DOCUMENT
    assert nobody.get("/openapi.yaml").status_code == 200
    index = nobody.get("/apis.json").json()
    assert index["specificationVersion"] == "0.19"
    for one in index["apis"][0]["properties"]:
        assert requests.get(one["url"], timeout=30).status_code in (200, 401), one


def test_administrators_see_all_and_runs_of_airflow_itself(
    admin: Caller, airflow: LocalAirflow, airflow_store: FolderStore, things: dict[str, str], clip: Path
) -> None:
    run_id = airflow.trigger({"source": str(clip), "filter": "identity"})
    airflow.wait(run_id)
    ids = [one["id"] for one in admin.get("/rotoscopes?limit=100").json()["items"]]
    assert {run_id, things["rotoscope_id"]} <= set(ids)
    assert admin.get(f"/rotoscopes/{run_id}/result").status_code == 200
    failing = airflow.trigger({"source": "/nowhere.mp4"})
    airflow.wait(failing)
    assert "There is no file" in admin.get(f"/rotoscopes/{failing}").json()["failure"]
    listed = {one["id"]: one["failure"] for one in admin.get("/rotoscopes").json()["items"]}
    assert "There is no file" in listed[failing]
