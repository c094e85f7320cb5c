"""Stands for kube-proxy: reads its file once, at its start, and says at its metrics address what it read.

It knows lines of `name: value` in sections, and what kube-proxy does without them.
"""

import http.server
import json
import re
import sys

DEFAULTS = {
    "Mode": "ipvs",
    "IPVS": {"TCPTimeout": "0s", "TCPFinTimeout": "0s", "UDPTimeout": "0s"},
    "Linux": {
        "Conntrack": {
            "MaxPerCore": 32768,
            "Min": 131072,
            "TCPEstablishedTimeout": "24h0m0s",
            "TCPCloseWaitTimeout": "1h0m0s",
            "TCPBeLiberal": False,
        }
    },
}


def read(path):
    sections = {"ipvs": DEFAULTS["IPVS"], "conntrack": DEFAULTS["Linux"]["Conntrack"]}
    section = {}
    with open(path, encoding="utf-8") as handle:
        for line in handle:
            found = re.match(r"( *)(\w+):\s*['\"]?([^'\"#\s]*)", line)
            if found and not found.group(1):
                section = sections.get(found.group(2), {})
            elif found and found.group(3) not in ("", "null"):
                names = {name.lower(): name for name in section}
                name = names.get(found.group(2).lower())
                if name:
                    text = found.group(3)
                    section[name] = json.loads(text) if text in ("true", "false") or text.isdigit() else text


class Metrics(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        config = {"kubeproxy.config.k8s.io": DEFAULTS}
        body = {"/proxyMode": "ipvs", "/configz": json.dumps(config)}[self.path].encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        pass


read(sys.argv[1].partition("=")[2])
http.server.HTTPServer(("127.0.0.1", 10249), Metrics).serve_forever()
