"""`python -m portal.ready`: ends well where the web server on this machine can work. For a container's health check."""

import http.client
import sys
from urllib.parse import urlsplit

from django.conf import settings

_PORT = 8000


def main() -> int:
    connection = http.client.HTTPConnection("127.0.0.1", _PORT, timeout=5)
    try:
        # Under its public name, since the portal answers to no other.
        connection.request("GET", "/readyz", headers={"Host": urlsplit(settings.PUBLIC_URL).netloc})
        return int(connection.getresponse().status != http.client.OK)
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
