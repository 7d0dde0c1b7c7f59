"""A store of files that answers slowly: the part of the WebHDFS protocol that Spark needs to read a folder, with so many bytes a
second for each connection. It must serve nothing but the files of that folder."""

import http.server
import json
import os
import threading
import time
import urllib.parse

PIECE_BYTES = 16 << 10


def serve(folder, bytes_per_s):
    """Starts a store in threads that end with the process. Its address, as Spark takes it."""

    class Answer(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_GET(self):
            url = urllib.parse.urlsplit(self.path)
            ask = {k.lower(): v[0] for k, v in urllib.parse.parse_qs(url.query).items()}
            name = os.path.basename(urllib.parse.unquote(url.path.removeprefix("/webhdfs/v1")))
            path = os.path.join(folder, name)
            op = ask["op"].upper()
            if not os.path.exists(path):
                self.tell(404, {"RemoteException": {"exception": "FileNotFoundException", "message": name,
                                                    "javaClassName": "java.io.FileNotFoundException"}})
            elif op == "OPEN":
                self.open(path, int(ask.get("offset", 0)), ask.get("length"))
            elif op == "GETFILESTATUS":
                self.tell(200, {"FileStatus": status(path, "")})
            elif op == "LISTSTATUS":
                files = [status(os.path.join(folder, n), n) for n in sorted(os.listdir(folder))] if not name else [status(path, "")]
                self.tell(200, {"FileStatuses": {"FileStatus": files}})
            elif op == "GETFILEBLOCKLOCATIONS":
                self.tell(200, {"BlockLocations": {"BlockLocation": [block(os.path.getsize(path))]}})
            else:
                self.tell(400, {"RemoteException": {"exception": "UnsupportedOperationException", "message": op,
                                                    "javaClassName": "java.lang.UnsupportedOperationException"}})

        def tell(self, code, what):
            body = json.dumps(what).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def open(self, path, offset, length):
            left = os.path.getsize(path) - offset
            left = min(left, int(length)) if length else left
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Length", str(left))
            self.end_headers()
            with open(path, "rb") as f:
                f.seek(offset)
                while left > 0:
                    piece = f.read(min(PIECE_BYTES, left))
                    self.wfile.write(piece)
                    left -= len(piece)
                    time.sleep(len(piece) / bytes_per_s)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"webhdfs://127.0.0.1:{server.server_address[1]}"


def status(path, suffix):
    folder = os.path.isdir(path)
    return {"pathSuffix": suffix, "type": "DIRECTORY" if folder else "FILE", "length": 0 if folder else os.path.getsize(path),
            "modificationTime": 1_700_000_000_000, "accessTime": 0, "blockSize": 128 << 20, "replication": 1, "permission": "755",
            "owner": "etl", "group": "etl", "childrenNum": 0, "fileId": 1, "storagePolicy": 0}


def block(length):
    return {"offset": 0, "length": length, "hosts": ["localhost"], "names": ["localhost:1"], "topologyPaths": ["/default-rack/localhost:1"],
            "cachedHosts": [], "storageIds": [], "storageTypes": ["DISK"], "corrupt": False}
