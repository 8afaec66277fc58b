"""Start an emulated org: `python -m tests.salesforce_org --port 0 --control-port 0`.

When it is ready it prints one line of JSON with its two addresses and what to sign in with.
"""

import argparse
import json
import signal
import sys
import threading
from types import FrameType

from tests.salesforce_org.control_port import ControlPort
from tests.salesforce_org.org import SalesforceOrg
from tests.salesforce_org.rest.door import Door
from tests.salesforce_org.web import Server


def main() -> None:
    """Serve until SIGTERM, SIGINT or, when asked for, the end of standard input."""
    options = _options()
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    org = SalesforceOrg()
    door, control = Server(options.port, Door(org).answer), Server(options.control_port, ControlPort(org).answer)
    org.url, org.page_url = door.url, control.url
    for server in (door, control):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(json.dumps(_ready(org, door, control)) + "\n")
    sys.stdout.flush()
    if options.until_stdin_closes:
        sys.stdin.read()
    else:
        signal.pause()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.salesforce_org", description="An emulated Salesforce org.")
    parser.add_argument("--port", type=int, default=0, help="of the org itself; 0 takes a free one")
    parser.add_argument("--control-port", type=int, default=0, help="of the control port with the page for people")
    parser.add_argument("--until-stdin-closes", action="store_true", help="stop with the process that started it")
    return parser.parse_args()


def _ready(org: SalesforceOrg, door: Server, control: Server) -> dict[str, str]:
    app = org.sessions.app
    return {
        "url": door.url,
        "control": control.url,
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "username": app.approved[0],
        "organization_id": org.organization_id,
    }


def _stop(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    main()
