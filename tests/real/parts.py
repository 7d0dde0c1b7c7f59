"""The real parts, each as a class that starts and ends one on 127.0.0.1: Broker, Alertmanager,
WebhookRecorder, Prometheus. (Stoker itself is in agent.py, Kafka's client side in kafka_client.py.)

Used by the suites. A part is ready when its start() returns; one that cannot be had raises PartError,
never a skip. Ports are chosen at run time, files lie under processes.WORK.
"""

import http.server
import json
import subprocess
import threading
import time
import urllib.error
import urllib.request

from confluent_kafka.admin import AdminClient

from processes import BUILD, HOST, PartError, Process, free_port, fresh_dir, wait_until

KAFKA_VERSIONS = ("4.3.1", "3.9.1")
CLUSTER_ID = "c3Rva2VyLXRlc3QtMDAwMQ"
JAVA_FLAGS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto",
              "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")

BROKER_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
log.cleaner.dedupe.buffer.size=4194304
"""


def http_get(url, timeout_s=5.0):
    """(status, body, headers) of a GET; status 0 and the reason as body if nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=timeout_s) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers
    except OSError as error:
        return 0, str(error), {}


class Broker:
    """One KRaft node (broker and controller). The port is known before start(), so a client can be
    pointed at a broker that is not there yet.

    settings: more lines of server.properties, which win; ports: (client, controller) instead of free
    ones."""

    def __init__(self, version, name=None, settings=None, ports=None):
        self.version = version
        self.libs = BUILD / "kafka" / version
        self.dir = fresh_dir(name or f"kafka-{version}")
        self.port, controller = ports or (free_port(), free_port())
        self.bootstrap = f"{HOST}:{self.port}"
        self._process = None
        if not (self.libs / f"kafka_2.13-{version}.jar").exists():
            raise PartError(f"no Kafka {version} in {self.libs}: run tests/real/deps.sh")
        self._format(controller, settings or {})

    def _format(self, controller, settings):
        self._properties = self.dir / "server.properties"
        own = BROKER_PROPERTIES.format(host=HOST, port=self.port, controller=controller,
                                       data=self.dir / "data")
        self._properties.write_text(own + "".join(f"{k}={v}\n" for k, v in settings.items()))
        done = subprocess.run(
            ["java", "-Xmx128m", *JAVA_FLAGS, "-cp", f"{self.libs}/*", "kafka.tools.StorageTool",
             "format", "-t", CLUSTER_ID, "-c", str(self._properties)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise PartError(f"Kafka {self.version}: format failed\n{done.stdout}{done.stderr}")

    def start(self):
        """Starts it (the first time or again after kill or stop) and waits until it answers."""
        return self.launch().await_up()

    def launch(self):
        """Starts it without waiting, for a node that needs others to come up."""
        self._process = Process(
            f"Kafka {self.version}",
            ["java", "-Xmx256m", "-Xms256m", *JAVA_FLAGS, "-cp", f"{self.libs}/*", "kafka.Kafka",
             self._properties], self.dir / "server.log")
        return self

    def await_up(self):
        wait_until(f"Kafka {self.version} up", self._answers, 120, 0.2, self._process)
        return self

    def _answers(self):
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        try:
            return bool(admin.list_topics(timeout=1.0).brokers)
        except Exception:  # pylint: disable=broad-except  # whatever: not up yet
            return False

    def stop(self):
        return self._process.stop(40)

    def kill(self):
        self._process.kill()

    def kill_if_running(self):
        """For clean-up: whatever state it is in."""
        if self._process is not None:
            self._process.kill()

    def pause(self):
        self._process.pause()

    def cont(self):
        self._process.cont()


class WebhookRecorder:
    """Takes Alertmanager's notifications: a list of (arrival, path, body). A thread, not a process."""

    def __init__(self):
        self._received = []
        self._raw = []
        self._lock = threading.Lock()
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802  # the name http.server asks for
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with recorder._lock:
                    recorder._received.append((time.time(), self.path, json.loads(body)))
                    recorder._raw.append((self.path, dict(self.headers), body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer((HOST, 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://{HOST}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def alerts(self, path=None, status=None, **labels):
        """Every alert of every notification, oldest first, that came to `path` and has `status`
        (firing or resolved) and these labels."""
        with self._lock:
            received = list(self._received)
        return [alert for _, where, body in received if path in (None, where)
                for alert in body["alerts"]
                if status in (None, alert["status"]) and
                all(alert["labels"].get(k) == v for k, v in labels.items())]

    def raw(self, path):
        """(headers, body as it came) of every request to `path`, oldest first."""
        with self._lock:
            return [(headers, body) for where, headers, body in self._raw if where == path]

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


ALERTMANAGER_YML = """\
route:
  receiver: hook
  group_by: ['...']
  group_wait: 200ms
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: hook
    webhook_configs:
      - url: {url}
        send_resolved: true
"""


class Alertmanager:
    """One Alertmanager without gossip, that notifies `webhook_url` once per alert and change."""

    def __init__(self, name, webhook_url):
        self.name = name
        self.dir = fresh_dir(name)
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self._process = None
        (self.dir / "alertmanager.yml").write_text(ALERTMANAGER_YML.format(url=webhook_url))

    def start(self):
        self._process = Process(
            f"Alertmanager {self.name}",
            ["prometheus-alertmanager", f"--config.file={self.dir}/alertmanager.yml",
             f"--storage.path={self.dir}/data", f"--web.listen-address={HOST}:{self.port}",
             "--cluster.listen-address="], self.dir / "alertmanager.log")
        wait_until(f"{self.name} ready", lambda: http_get(self.url + "/-/ready")[0] == 200, 30,
                   process=self._process)
        return self

    def alerts(self, **labels):
        """The active alerts it holds now, with these labels."""
        status, body, _ = http_get(self.url + "/api/v2/alerts")
        if status != 200:
            raise PartError(f"{self.name}: GET /api/v2/alerts says {status}: {body}")
        return [alert for alert in json.loads(body)
                if all(alert["labels"].get(k) == v for k, v in labels.items())]

    def kill(self):
        self._process.kill()

    def kill_if_running(self):
        """For clean-up: whatever state it is in."""
        if self._process is not None:
            self._process.kill()

    def stop(self):
        return self._process.stop()


PROMETHEUS_YML = """\
global:
  scrape_interval: 1s
scrape_configs:
  - job_name: stoker
{more}    static_configs:
      - targets: ["{target}"]
"""


class Prometheus:
    """One Prometheus that scrapes `target` (host:port) every second; `more`: lines of its job."""

    def __init__(self, name, target, more=""):
        self.name = name
        self.dir = fresh_dir(name)
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self._process = None
        (self.dir / "prometheus.yml").write_text(PROMETHEUS_YML.format(target=target, more=more))

    def start(self):
        self._process = Process(
            f"Prometheus {self.name}",
            ["prometheus", f"--config.file={self.dir}/prometheus.yml",
             f"--storage.tsdb.path={self.dir}/data", f"--web.listen-address={HOST}:{self.port}"],
            self.dir / "prometheus.log")
        wait_until(f"{self.name} ready", lambda: http_get(self.url + "/-/ready")[0] == 200, 30,
                   process=self._process)
        return self

    def query(self, expression):
        """An instant query: a list of (labels, value)."""
        escaped = urllib.request.quote(expression)
        status, body, _ = http_get(f"{self.url}/api/v1/query?query={escaped}")
        if status != 200:
            raise PartError(f"{self.name}: {expression}: {status} {body}")
        return [(row["metric"], float(row["value"][1])) for row in json.loads(body)["data"]["result"]]

    def stop(self):
        return self._process.stop()
