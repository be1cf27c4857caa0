"""Is the worker of this container well? For supervisors that can only run a program: it asks, and ends with 0 or 1.

``python -m streams.web.probe healthz``, or ``readyz``; what the page said goes to standard output.
"""

import http.client
import ssl
import sys

from streams.settings import Settings, load_settings

_SECONDS_MAX = 4.0
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what to ask where it listens everywhere


def probe(settings: Settings, page: str) -> tuple[bool, str]:
    """Whether ``/<page>`` of the worker with *settings* answers 200, and what it says.

    A worker without pages (port 0) cannot be asked, and counts as well: its supervisor sees it end.
    """
    if settings.web_port == 0:
        return True, "There are no pages to ask: G9603_WEB_PORT=0."
    host = _ANYWHERE.get(settings.web_host, settings.web_host)
    connection = _connection(host, settings)
    try:
        connection.request("GET", f"/{page}")
        response = connection.getresponse()
        return response.status == http.HTTPStatus.OK, response.read().decode(errors="replace").strip()
    except (OSError, http.client.HTTPException) as error:
        return False, f"{host}:{settings.web_port} does not answer: {str(error) or type(error).__name__}."
    finally:
        connection.close()


def _connection(host: str, settings: Settings) -> http.client.HTTPConnection:
    if settings.web_tls_certificate_file is None:
        return http.client.HTTPConnection(host, settings.web_port, timeout=_SECONDS_MAX)
    # The name in the certificate is the one that others use; this stays within the container.
    unverified = ssl._create_unverified_context()  # noqa: S323, SLF001
    return http.client.HTTPSConnection(host, settings.web_port, timeout=_SECONDS_MAX, context=unverified)


if __name__ == "__main__":
    is_well, said = probe(load_settings(), sys.argv[1])
    sys.stdout.write(f"{said}\n")
    sys.exit(0 if is_well else 1)
