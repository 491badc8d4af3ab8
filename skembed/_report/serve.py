"""A page shown in the browser, without a file that somebody would have to delete."""

from __future__ import annotations

import threading
import webbrowser
from http.server import BaseHTTPRequestHandler, HTTPServer

__all__ = ["show"]

# Seconds that a browser has to ask for the page.
_PATIENCE = 10.0


def show(whole):
    """Open a page in the browser: it is handed out once, to this machine only.

    Raises
    ------
    RuntimeError
        If no browser has asked for the page.
    """
    content = whole.encode("utf-8")
    taken = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path != "/report.html":  # an icon, for example
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            taken.set()

        def log_message(self, *args):
            """Say nothing on the terminal."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}/report.html"
            webbrowser.open(url)
            if not taken.wait(_PATIENCE):
                raise RuntimeError(
                    f"No browser asked for the report within {_PATIENCE:.0f} seconds. "
                    "Write it to a file with write_html and open that."
                )
        finally:
            server.shutdown()
            thread.join()
