"""Window: the hours of a day in which a batch may start something."""

import re
from dataclasses import dataclass
from typing import Self

import pendulum
from pendulum.tz.exceptions import InvalidTimezone

from rotoscope.errors import Refused

FORM = re.compile(r"\s*([01]\d|2[0-3]):([0-5]\d)\s*-\s*([01]\d|2[0-3]):([0-5]\d)\s*")


@dataclass(frozen=True)
class Window:
    """From an hour to another, of the same day or of the next one. opens, closes: minutes of the day."""

    opens: int
    closes: int
    zone: str

    @classmethod
    def parse(cls, text: str, zone: str = "UTC") -> Self:
        """The window in a text such as 22:00-06:00. Raises Refused for what is none, and for an unknown time zone."""
        found = FORM.fullmatch(text)
        if not found:
            raise Refused(f"{text!r} is no window; write when it opens and closes, such as 22:00-06:00.")
        first, second, third, fourth = map(int, found.groups())
        opens, closes = first * 60 + second, third * 60 + fourth
        if opens == closes:
            raise Refused(f"The window {text} is empty; leave it out for all of the day.")
        return cls(opens, closes, check_zone(zone))

    def wait(self, now: pendulum.DateTime) -> float:
        """Seconds until it is open, 0 while it is."""
        here = now.in_timezone(self.zone)
        minute = here.hour * 60 + here.minute
        inside = self.opens <= minute < self.closes
        if self.opens > self.closes:
            inside = minute >= self.opens or minute < self.closes
        if inside:
            return 0
        day = here if minute < self.opens else here.add(days=1)
        opening = pendulum.datetime(day.year, day.month, day.day, *divmod(self.opens, 60), tz=self.zone)
        return max(0.0, (opening - here).total_seconds())


def check_zone(zone: str) -> str:
    """The name of a time zone. Raises Refused for one that is none."""
    try:
        pendulum.timezone(zone)
    except (InvalidTimezone, ValueError):
        raise Refused(f"{zone!r} is no time zone; write one of the IANA database, such as Europe/Berlin.") from None
    return zone
