"""A worker that paints all chunks of a request at an endpoint, to be killed."""

import sys
from pathlib import Path

from rotoscope.algorithmia.client import Client
from rotoscope.algorithmia.endpoint import Endpoint
from rotoscope.request import Request
from rotoscope.steps.paint import paint_chunk
from rotoscope.steps.split import split
from rotoscope.store.folder import FolderStore

root, clip, url, key, model = sys.argv[1:]
store, endpoint = FolderStore(Path(root)), Endpoint(Client(url, key, timeout=20), grace=0.3)
request = Request.parse({"source": clip, "filter": "deepfilter", "model": model, "chunk_frames": 24})
plan_key, plan = split(request, store, "remote", 2, 1, lambda: endpoint)
for chunk in plan.chunks:
    paint_chunk(store, plan_key, chunk.index, "remote", 1, lambda: endpoint)
