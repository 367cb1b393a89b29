"""Keys, claims, usage and uploads, in every kind of store."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from rotoscope.access import claims, partner_keys, plans, usage
from rotoscope.errors import Refused
from rotoscope.store import keys, uploads
from rotoscope.store.base import Store
from rotoscope.store.uploads import BucketUpload, OutOfStep, upload_of

KEY = {
    "name": "A test",
    "tenant": "acme",
    "plan": "starter",
    "scopes": ("usage:read",),
    "acts_for": {"sub": "admin"},
    "created_by": "admin",
}


def test_a_claim_gives_all_who_ask_at_once_one_id(store: Store) -> None:
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda _: claims.claim(store, "acme", "key", {"a": 1}), range(32)))
    assert len({one.id for one in made}) == 1
    assert claims.claim(store, "globex", "key", {"a": 1}).id != made[0].id
    with pytest.raises(claims.OtherRequest):
        claims.claim(store, "acme", "key", {"a": 2})


def test_a_claim_is_free_again_after_a_day(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first = claims.claim(store, "acme", "key", {"a": 1})
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + claims.SECONDS + 1)
    again = claims.claim(store, "acme", "key", {"a": 2})
    assert (again.repeated, again.id != first.id) == (False, True)


def test_requests_side_by_side_never_pass_a_limit(store: Store) -> None:
    def book(number: int) -> bool:
        try:
            usage.book(store, "acme", f"acme.{number}", 10, 50)
        except usage.OverLimit:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        booked = sum(pool.map(book, range(12)))
    assert booked <= 5
    assert usage.frames(store, "acme", usage.this_month()) == booked * 10
    usage.book(store, "globex", "globex.1", 50, 50)
    usage.book(store, "globex", "globex.1", 50, 50)
    assert usage.frames(store, "globex", usage.this_month()) == 50, "a run is counted once"
    usage.give_back(store, "globex", "globex.1")
    assert usage.frames(store, "globex", usage.this_month()) == 0


def test_a_key_opens_until_it_is_rotated_or_revoked(store: Store) -> None:
    key, token = partner_keys.make(store, "5f1c0f6f0a9e4b1c", **KEY)
    assert token is not None
    assert partner_keys.opened_by(store, token) == key
    assert partner_keys.make(store, key.id, **KEY) == (key, None), "asked again, it is the same one, without its token"
    for wrong in (token[:-1] + ("0" if token[-1] != "0" else "1"), token.upper(), "rsk_x", "rsk_../../x_" + 64 * "0"):
        assert partner_keys.opened_by(store, wrong) is None
    stored = str(store.get_json(keys.partner_key(key.id)))
    assert token.rpartition("_")[2] not in stored
    key, new = partner_keys.rotate(store, key)
    assert partner_keys.opened_by(store, token) is None
    assert partner_keys.opened_by(store, new) == key
    partner_keys.revoke(store, key)
    assert partner_keys.opened_by(store, new) is None
    assert [one.id for one in partner_keys.every(store)] == [key.id]


def test_an_upload_makes_the_object_when_all_is_there(store: Store) -> None:
    content = bytes(range(256)) * 100
    upload = upload_of(store, "acme.1")
    if isinstance(upload, BucketUpload):
        (link,) = upload.links(len(content))
        with pytest.raises(Refused, match="parts"):
            upload.complete(['"no"'])
        upload.complete([requests.put(link, content, timeout=30).headers["ETag"]])
        upload.complete([])
    else:
        assert upload.write(0, content[:1000]) == 1000
        with pytest.raises(OutOfStep):
            upload.write(2000, content[2000:])
        with pytest.raises(Refused, match=f"1000 of {len(content)} bytes"):
            upload.complete(len(content))
        upload.write(1000, content[1000:])
        upload.complete(len(content))
        upload.complete(len(content))
    with store.local(keys.incoming("acme.1", uploads.CONTENT)) as path:
        assert path.read_bytes() == content
    uploads.forget(store, "acme.1")
    assert not [*store.below("incoming")]


def test_plans_are_in_the_schema_of_api_commons() -> None:
    assert {"house", "starter", "studio"} <= set(plans.plans())
    for plan in plans.plans().values():
        assert plan.model_dump().keys() == {"id", "name", "description", "entries", "elements"}
        assert [entry.metric for entry in plan.entries] == ["requests", "frames", "jobs", "seconds"]
    assert plans.get("house").limit("frames") is None
    with pytest.raises(Refused, match="no plan 'gold'; choose one of"):
        plans.get("gold")
