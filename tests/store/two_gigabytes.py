"""Puts 2 GB into a bucket and gets them back; prints the most memory that this process had, in bytes."""

import sys
from pathlib import Path

from rotoscope.media.probe import file_sha256
from rotoscope.store.s3 import Bucket, S3Store

SIZE = 2 * 10**9
BLOCK = 2**20

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.s3 import S3Server  # noqa: E402

url, name, folder = sys.argv[1:]
store = S3Store(Bucket(S3Server(url).client(), name), Path(folder))
with store.workspace("tmp") as work:
    source = work / "large"
    with source.open("wb") as file:
        for number in range(SIZE // BLOCK):
            file.write(number.to_bytes(8, "big") * (BLOCK // 8))
    expected = file_sha256(source)
    store.put("large", source)
with store.local("large") as path:
    assert file_sha256(path) == expected
# Not ru_maxrss: it counts the memory of the process that started this one too, which a large test run has.
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(int(status["VmHWM"].split()[0]) * 1024)
