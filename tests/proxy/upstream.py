"""A small API with nothing but the standard library: lists at /{name}, records at /{name}/{id}. Prints its port."""

import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

records = {"/notes/1": {"id": 1, "text": "one"}}


class Handler(BaseHTTPRequestHandler):
    def answer(self, status, value=None, location=None):
        body = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        if value is not None:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def do_GET(self):
        path = self.path.split("?")[0]
        if re.fullmatch(r"/[a-z]+", path):
            self.answer(200, [row for url, row in records.items() if url.startswith(path + "/")])
        elif path in records:
            self.answer(200, records[path])
        else:
            self.answer(404)

    def do_POST(self):
        number = 1 + max((row["id"] for row in records.values()), default=0)
        url = f"{self.path}/{number}"
        records[url] = {"id": number, **self.body()}
        self.answer(201, records[url], url)

    def do_PUT(self):
        records[self.path] = {"id": records[self.path]["id"], **self.body()}
        self.answer(200, records[self.path])

    def do_DELETE(self):
        self.answer(204 if records.pop(self.path, None) else 404)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
