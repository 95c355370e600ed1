"""A container's healthcheck: `python -m deploy.probe PORT` exits 0 when /readyz answers 200 there, else 1."""

import sys
from http.client import HTTPConnection, HTTPException


def main() -> int:
    """Returns the exit code; prints why it is not ready, for `docker inspect`."""
    connection = HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=3)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        body = answer.read(2000).decode("utf-8", "replace")
    except (OSError, HTTPException) as error:
        print(error)
        return 1
    print(body)
    return 0 if answer.status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
