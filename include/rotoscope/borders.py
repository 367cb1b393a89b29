"""Borders: where a video is best cut into chunks, so that nobody can see it and nothing is decoded twice."""

from itertools import pairwise

from rotoscope.media.decode import scene_scores
from rotoscope.media.packets import Packets
from rotoscope.media.track import Track

KEY_FRAME = 1.0
"""A border here needs no frames of the chunk before for decoding."""
EARLY_KEY_FRAME = 2.0
"""Encoders set a key frame earlier than they must where the scene changes."""
SCENE_CUT = 10.0
"""The score from which ffmpeg's filter `scdet` speaks of a scene cut, of 100."""


def key_frames(packets: Packets) -> dict[int, float]:
    """How good a border is at each key frame, by its timestamp. Costs nothing, since it decodes nothing."""
    keys = packets.key_pts()
    longest = max((after - before for before, after in pairwise(keys)), default=0)
    early = {after for before, after in pairwise(keys) if after - before < longest}
    return {pts: EARLY_KEY_FRAME if pts in early else KEY_FRAME for pts in keys}


def scene_cuts(track: Track) -> dict[int, float]:
    """The scene cuts of a video by ffmpeg's scene score, 10 to 100, by their timestamps. Decodes the whole video."""
    return {pts: score for pts, score in scene_scores(track) if score >= SCENE_CUT}
