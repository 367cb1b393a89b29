from pathlib import Path

import pytest

from rotoscope.store import keys
from rotoscope.store.folder import FolderStore


def put_text(store: FolderStore, key: str, text: str) -> None:
    with store.workspace("tmp") as folder:
        (folder / "x").write_text(text)
        store.put(key, folder / "x")


def get_text(store: FolderStore, key: str) -> str:
    with store.local(key) as path:
        return path.read_text()


def test_the_first_object_keeps_its_key(store: FolderStore) -> None:
    put_text(store, "a/b", "first")
    put_text(store, "a/b", "second")
    assert get_text(store, "a/b") == "first"


def test_a_document_comes_back_and_can_be_replaced_only_on_purpose(store: FolderStore) -> None:
    store.put_json("a.json", {"n": 1})
    store.put_json("a.json", {"n": 2})
    assert store.get_json("a.json") == {"n": 1}
    store.replace_json("a.json", {"n": 3})
    assert store.get_json("a.json") == {"n": 3}


def test_what_is_not_there_is_a_key_error(store: FolderStore) -> None:
    assert not store.exists("a")
    with pytest.raises(KeyError):
        store.get_json("a")


def test_a_workspace_goes_with_its_block(store: FolderStore) -> None:
    with store.workspace("runs/1") as folder:
        (folder / "half").write_text("made")
    assert not folder.exists()


def test_deleting_a_prefix_leaves_everything_else(store: FolderStore) -> None:
    for key in ("runs/1/a", "runs/1/b/c", "runs/10/a"):
        put_text(store, key, key)
    assert store.delete("runs/1") == 2
    assert store.delete("runs/1") == 0
    assert get_text(store, "runs/10/a") == "runs/10/a"


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../x", "a/../../x"])
def test_no_key_leads_out_of_the_store(store: FolderStore, key: str) -> None:
    with pytest.raises(ValueError, match="is not a key"):
        store.exists(key)


def test_run_ids_that_look_alike_do_not_share_scratch() -> None:
    assert keys.run("a+b") != keys.run("a:b")
    assert keys.run("../../etc").startswith("runs/etc-")


def test_slug_takes_only_safe_characters() -> None:
    assert keys.slug("My Drone Flight (1) ä/../x") == "my-drone-flight-1-x"
    assert keys.slug("???") == "unnamed"
    assert Path(keys.slug("..")).name == "unnamed"
