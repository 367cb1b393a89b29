"""Whether a part is well, for a container's health check: healthy.py URL [COMPONENT of Airflow's own health report]."""

import json
import sys
import urllib.request


def main() -> None:
    """Exit with 1 where it is not."""
    with urllib.request.urlopen(sys.argv[1], timeout=10) as answer:
        said = answer.read()
    for component in sys.argv[2:]:
        status = json.loads(said)[component]["status"]
        if status != "healthy":
            sys.exit(f"{component} is {status}")


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"{sys.argv[1]}: {error}")
