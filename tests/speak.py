"""Speak to a port as a user of the stack would, from inside a host's network; the answer is one JSON line on stdout.

Run by file name, so that `ip netns exec` can put it into the network of a test:
    speak.py http METHOD URL [BODY]         → {"status": …, "body": …}
    speak.py websocket URL MESSAGE…         → {"answers": […]}
    speak.py reach ADDRESS PORT             → {"reached": bool}
    speak.py watch URL…                     → {URL: {"down": seconds, "back": when}…}, once stdin is closed
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable


def http(method: str, url: str, body: str | None = None) -> dict[str, object]:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, body.encode() if body else None, headers, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return {"status": answer.status, "body": answer.read().decode()}
    except urllib.error.HTTPError as error:
        return {"status": error.code, "body": error.read().decode()}
    except OSError as error:
        return {"status": 0, "body": str(error)}


def websocket(url: str, *messages: str) -> dict[str, object]:
    from websockets.sync.client import connect

    with connect(url, additional_headers={"device-id": "test-device"}, open_timeout=10) as opened:
        answers = []
        for message in messages:
            opened.send(message)
            answers.append(json.loads(opened.recv(timeout=10)))
    return {"answers": answers}


def reach(address: str, port: str) -> dict[str, object]:
    try:
        socket.create_connection((address, int(port)), timeout=3).close()
    except OSError:
        return {"reached": False}
    return {"reached": True}


def watch(*urls: str) -> dict[str, object]:
    """How long each did not answer with 200, and when it did again (seconds of the epoch; 0 where it always did)."""
    found = {url: {"down": 0.0, "back": 0.0} for url in urls}
    well = dict.fromkeys(urls, time.time())
    failed: set[str] = set()
    while not select.select([sys.stdin], [], [], 0.02)[0]:
        for url in urls:
            answered = http("GET", url)["status"] == 200
            if answered and url in failed:
                found[url] = {"down": found[url]["down"] + time.time() - well[url], "back": time.time()}
                failed.remove(url)
            if answered:
                well[url] = time.time()
            else:
                failed.add(url)
    return dict(found)


if __name__ == "__main__":
    verb, *words = sys.argv[1:]
    verbs: dict[str, Callable[..., dict[str, object]]]
    verbs = {"http": http, "websocket": websocket, "reach": reach, "watch": watch}
    json.dump(verbs[verb](*words), sys.stdout, ensure_ascii=False)
