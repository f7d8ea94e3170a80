# Keeps notes in a redis list, and serves the pages that are mounted.
import json
import os
import socket
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import unquote

PAGES = Path("/srv/pages")


def store(*words):
    host, port = os.environ["STORE"].split(":")
    with socket.create_connection((host, int(port)), timeout=5) as link:
        parts = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
        link.sendall(f"*{len(words)}\r\n{''.join(parts)}".encode())
        return read_reply(link.makefile("rb"))


def read_reply(stream):
    line = stream.readline().decode().rstrip()
    if line.startswith("*"):
        return [read_reply(stream) for _ in range(int(line[1:]))]
    if line.startswith("$"):
        return stream.read(int(line[1:]) + 2)[:-2].decode()
    return line[1:]


class Notes(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/notes":
            self.answer(json.dumps(store("LRANGE", "notes", "0", "-1")))
        elif self.path == "/":
            self.answer(os.environ["TITLE"])
        else:
            self.answer((PAGES / unquote(self.path[1:])).read_text(encoding="utf-8"))

    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        store("RPUSH", "notes", text)
        self.answer("kept")

    def answer(self, text):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text.encode())


if __name__ == "__main__":
    HTTPServer(("", 9000), Notes).serve_forever()
