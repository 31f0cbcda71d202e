"""A stand-in for an embedding endpoint: words of one meaning point in one direction, others in their own."""

import http.server
import json
import re
import threading
import zlib

DIMENSIONS = 64


class FakeEmbeddings:
    """`meanings`: lists of words that mean the same. `behave(request)` is called before each answer and may
    wait, or return (status, bytes) to be sent instead. `requests`: what was asked, with the headers."""

    def __init__(self, meanings):
        self.directions = {word: n for n, words in enumerate(meanings) for word in words}
        self.first_other = len(meanings)
        self.behave = lambda request: None
        self.requests = []
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.fake = self
        self.port = self._server.server_address[1]
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def inputs(self):
        return [text for request in self.requests for text in request["input"]]

    def vector(self, text):
        others = DIMENSIONS - self.first_other
        vector = [0.0] * DIMENSIONS
        for word in re.findall(r"\w+", text.lower()):
            direction = self.directions.get(word)
            if direction is None:
                vector[self.first_other + zlib.crc32(word.encode()) % others] += 0.1
            else:
                vector[direction] += 1.0
        return vector if any(vector) else [1.0] * DIMENSIONS

    def answer(self, request):
        self.requests.append(request)
        instead = self.behave(request)
        if instead is not None:
            return instead
        data = [{"index": n, "embedding": self.vector(text)} for n, text in enumerate(request["input"])]
        return 200, json.dumps({"object": "list", "data": data, "model": request["model"]}).encode()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a client that goes away is nothing to report


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        request = {**json.loads(body), "path": self.path, "headers": dict(self.headers.items())}
        status, payload = self.server.fake.answer(request)
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)
        self.wfile.flush()

    def log_message(self, *arguments):
        pass
