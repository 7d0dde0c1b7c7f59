"""The agent's pages behind TLS and passwords, as its web configuration says: a real Prometheus scrapes them, its own tool
takes the same file, certificates are renewed while it runs, and no secret is shown anywhere."""

import base64
import shutil
import socket
import ssl
import subprocess
import time
import unittest
import urllib.error
import urllib.request

from agent import BINARY, environment
from parts import Prometheus
from processes import HOST, Process, free_port, fresh_dir, wait_until
from secured import Certificates

USER, PASSWORD = "prom", "PLUGH-canary"
HASH = "$2b$10$mxZiFcG9vMmkIQTDyBz1NucgKpYoi5JZUvvKKcFxQMb2GiCopEXR."  # of it, cost 10


def stoker(*args):
    """Runs a command of the program, whatever it ends with."""
    return subprocess.run([BINARY, *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment("old"),
                          timeout=60, check=False)


class Web(unittest.TestCase):
    def setUp(self):
        self.dir = fresh_dir(f"web-{self.id()}")
        self.certificates = Certificates(f"web-certificates-{self.id()}")
        self.port = free_port()
        self.renew("one")

    def renew(self, name):
        """Puts another certificate in the place of the one that is served, as a manager of them does it: by renaming."""
        certificate, key = self.certificates.give(name)
        for source, target in ((certificate, "server.pem"), (key, "server.key")):
            shutil.copy(source, self.dir / "new")
            (self.dir / "new").rename(self.dir / target)

    def start(self, more="", users=True):
        text = f"tls_server_config:\n  cert_file: {self.dir}/server.pem\n  key_file: {self.dir}/server.key\n{more}"
        text += f'basic_auth_users:\n  {USER}: "{HASH}"\n' if users else ""
        (self.dir / "web.yml").write_text(text, encoding="utf-8")
        config = self.dir / "stoker.yaml"
        config.write_text(f"kafka: {{brokers: \"{HOST}:1\"}}\nhttp: {{listen: \"{HOST}:{self.port}\", "
                          f"web_config_file: \"{self.dir}/web.yml\"}}\n", encoding="utf-8")
        self.config = config
        self.process = Process("stoker web", [BINARY, "run", "-c", config], self.dir / "stoker.log", environment("old"))
        self.addCleanup(self.process.kill)
        wait_until("the agent lives", lambda: self.ask("/livez") == 200, 20, 0.1, self.process)

    def ask(self, path, user=None, certificate=None):
        """The status of a GET; 0: no answer."""
        trust = ssl.create_default_context(cafile=self.certificates.authority)
        if certificate:
            trust.load_cert_chain(*certificate)
        request = urllib.request.Request(f"https://{HOST}:{self.port}{path}")
        if user:
            request.add_header("Authorization", "Basic " + base64.b64encode(":".join(user).encode()).decode())
        try:
            with urllib.request.urlopen(request, context=trust, timeout=5) as answer:
                self.seen = answer.read().decode()
                return answer.status
        except urllib.error.HTTPError as error:
            self.seen = error.read().decode()
            return error.code
        except OSError:
            return 0

    def subject(self):
        """Of the certificate that is served now."""
        trust = ssl.create_default_context(cafile=self.certificates.authority)
        with socket.create_connection((HOST, self.port), timeout=5) as plain, \
                trust.wrap_socket(plain, server_hostname=HOST) as secure:
            return dict(pair for part in secure.getpeercert()["subject"] for pair in part)["commonName"]

    def scraped(self, more):
        prometheus = Prometheus(f"web-prometheus-{free_port()}", f"{HOST}:{self.port}", more).start()
        self.addCleanup(prometheus.stop)
        return wait_until("a scrape", lambda: prometheus.query("up"), 15, 0.3)[0][1]

    def test_prometheus_with_a_password(self):
        self.start()
        subprocess.run(["promtool", "check", "web-config", str(self.dir / "web.yml")], check=True, capture_output=True, timeout=30)
        secure = f"    scheme: https\n    tls_config: {{ca_file: {self.certificates.authority}}}\n"
        word = f"    basic_auth: {{username: {USER}, password: {PASSWORD}}}\n"
        self.assertEqual((1, 0), (self.scraped(secure + word), self.scraped(secure)))
        self.assertEqual((200, 200), (self.ask("/metrics", (USER, PASSWORD)), self.ask("/", (USER, PASSWORD))))
        self.assertEqual((401, 401, 401), (self.ask("/"), self.ask("/metrics", (USER, "no")), self.ask("/metrics", ("no", PASSWORD))))
        self.assertEqual((503, 401), (self.ask("/readyz"), self.ask("/readyz?verbose")))
        asked = stoker("healthcheck", "-c", self.config)
        self.assertIn("not ready (503)", asked.stderr)
        self.assert_no_secret()

    def assert_no_secret(self):
        shown = stoker("config", "show", "-c", self.config)
        self.ask("/", (USER, PASSWORD))
        for text in (shown.stdout, shown.stderr, self.seen, self.process.log()):
            self.assertNotIn(PASSWORD, text)
            self.assertNotIn(HASH[10:], text)

    def test_wrong_words_do_not_hold_up_others(self):
        self.start()
        self.assertEqual(200, self.ask("/metrics", (USER, PASSWORD)))
        answers = [self.ask("/metrics", (USER, f"guess-{n}")) for n in range(30)]
        self.assertIn(429, answers)
        self.assertLessEqual(set(answers), {401, 429})
        began = time.monotonic()
        self.assertEqual((200, 200), (self.ask("/metrics", (USER, PASSWORD)), self.ask("/livez")))
        self.assertLess(time.monotonic() - began, 5)

    def test_certificates_of_clients(self):
        self.start(f"  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: {self.certificates.authority}\n", users=False)
        stranger = Certificates(f"web-strangers-{self.id()}").give("stranger")
        self.assertEqual((403, 200), (self.ask("/metrics"), self.ask("/livez")))
        self.assertEqual(200, self.ask("/metrics", certificate=self.certificates.give("client")))
        self.assertIn(self.ask("/metrics", certificate=stranger), (0, 403))

    def test_renewed_while_it_runs(self):
        self.start()
        self.assertEqual("one", self.subject())
        self.renew("two")
        wait_until("the new certificate", lambda: self.subject() == "two", 30, 0.5, self.process)
        (self.dir / "server.key").write_text("half a ke", encoding="utf-8")
        wait_until("a word on the bad one", lambda: self.subject() == "two" and "http_certificate error=" in
                   self.process.log().replace('"', ""), 30, 0.5, self.process)
        self.assertEqual(200, self.ask("/metrics", (USER, PASSWORD)))

    def test_what_is_wrong_is_named(self):
        def refused(text):
            (self.dir / "bad.yml").write_text(text, encoding="utf-8")
            done = stoker("check", "--set", f"http.web_config_file={self.dir}/bad.yml")
            self.assertEqual(78, done.returncode)
            return done.stderr.replace(str(self.dir), "")
        self.assertIn("/bad.yml:1: tls_server_config.cert_fil: unknown key", refused("tls_server_config: {cert_fil: x}"))
        self.assertIn("/bad.yml:2: basic_auth_users.me: not a bcrypt hash", refused("basic_auth_users:\n  me: in the clear"))
        self.assertNotIn("in the clear", refused("basic_auth_users:\n  me: in the clear"))
        self.assertIn("certificate and key go together", refused("tls_server_config: {cert_file: x}"))
        self.assertIn("needs cert_file, key_file and client_ca_file",
                      refused("tls_server_config: {client_auth_type: RequireAndVerifyClientCert}"))
        self.assertIn("unknown key", refused("http_server_config: {http2: true}"))
        self.assertIn("cannot be read", stoker("check", "--set", "http.web_config_file=/no/such").stderr)
