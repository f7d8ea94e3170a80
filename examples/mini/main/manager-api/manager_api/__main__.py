# Started by start.sh: wait for the database, make what it lacks, serve.
from __future__ import annotations

import logging
import os
import signal
import sys
from pathlib import Path

from manager_api.database import DatabaseError, wait_and_prepare
from manager_api.server import Services, serve
from manager_api.settings import SettingsError, database_settings, redis_settings

PORT = 8003  # inside the container only; nginx is what the outside sees


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        services = Services(
            database=database_settings(os.environ), redis=redis_settings(os.environ), uploads=Path("/uploadfile")
        )
        wait_and_prepare(services.database)
    except (SettingsError, DatabaseError) as error:
        logging.error("not started: %s", error)  # noqa: LOG015, TRY400 - for people, no traceback
        return 1
    serve(services, host="127.0.0.1", port=PORT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
