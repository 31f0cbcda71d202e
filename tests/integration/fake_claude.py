"""A scripted Claude, independent of the simulator: raw bodies and odd responses, and a record of what was
asked."""

import http.server
import json
import queue
import socket
import struct
import threading
import time

from processes import eventually


def message_body(
    text="Hello.", model="claude-opus-5-5", stop_reason="end_turn", content=None, usage=None, **more
):
    """A response of the Messages API as a dictionary."""
    return {
        "id": "msg_fake",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": text}] if content is None else content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": usage
        or {
            "input_tokens": 20,
            "output_tokens": 5,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
        },
        **more,
    }


def model_body(model, retires_at=None):
    """What GET /v1/models/ID answers, as a dictionary."""
    return {
        "id": model,
        "type": "model",
        "display_name": model,
        "created_at": "2026-01-01T00:00:00Z",
        "max_input_tokens": 1_000_000,
        "max_tokens": 128_000,
        "lifecycle": "active",
        "deprecated_at": None,
        "retires_at": retires_at,
    }


def error_body(kind, message, details=None):
    return {
        "type": "error",
        "error": {"type": kind, "message": message, "details": details},
        "request_id": "req_fake",
    }


class Response:
    """`body` is a dictionary (sent as JSON), bytes, or None. `raw` are bytes sent instead of a response;
    then the connection is closed. `reset` breaks it off."""

    def __init__(self, body=None, status=200, headers=None, raw=None, close=False, reset=False):
        self.body, self.status, self.headers = body, status, headers or {}
        self.raw, self.close, self.reset = raw, close, reset


class Request:
    def __init__(self, path, headers, body):
        self.path, self.headers, self.raw = path, headers, body
        self.body = json.loads(body)
        self.at = time.monotonic()

    @property
    def model(self):
        return self.body["model"]

    @property
    def system_text(self):
        system = self.body.get("system", "")
        return system if isinstance(system, str) else "\n".join(block["text"] for block in system)

    @property
    def new_message(self):
        last = self.body["messages"][-1]["content"]
        return last if isinstance(last, str) else last[-1]["text"]


class FakeClaude:
    """Answers with the responses that were put in, in order; when there is none, with what
    `default(request)` returns (a Response, a dictionary or a text).

    Asked about a model (GET), it answers what `models` has under its id (a Response or a dictionary), else
    that it lives. These requests are kept apart, in `gets`: (path, headers)."""

    def __init__(self, default=None, port=0):
        self.requests = []
        self.gets = []
        self.models = {}
        self.default = default or (lambda request: "Hello.")
        self._responses = queue.Queue()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.fake = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self._server.server_address[1]

    def put(self, *responses):
        for response in responses:
            self._responses.put(response)

    def wait_for_requests(self, count):
        eventually(lambda: len(self.requests) >= count, f"Claude is asked {count} times")
        return self.requests

    def answer(self, request):
        with self._lock:
            self.requests.append(request)
        try:
            response = self._responses.get_nowait()
        except queue.Empty:
            response = self.default(request)
        if callable(response):
            response = response(request)
        if isinstance(response, str):
            response = message_body(response)
        return Response(response) if isinstance(response, dict) else response

    def describe(self, path, headers):
        with self._lock:
            self.gets.append((path, headers))
        before, _, model = path.partition("/v1/models/")
        if before or not model:
            return Response(error_body("not_found_error", "Not found"), 404)
        response = self.models.get(model) or model_body(model)
        return Response(response) if isinstance(response, dict) else response

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        pass  # a client that goes away is nothing to report


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        self._send(self.server.fake.answer(Request(self.path, self.headers, body)))

    def do_GET(self):
        self._send(self.server.fake.describe(self.path, self.headers))

    def _send(self, response):
        if response.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return
        if response.raw is not None:
            self.wfile.write(response.raw)
            self.wfile.flush()
            self.close_connection = True
            return
        payload = response.body if isinstance(response.body, bytes) else json.dumps(response.body).encode()
        self.send_response(response.status)
        headers = {
            "content-type": "application/json",
            "content-length": str(len(payload)),
            **response.headers,
        }
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, value)
        if response.close:
            self.send_header("connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(payload)
        self.wfile.flush()

    def log_message(self, *arguments):
        pass
