"""What a waiting backlog takes: a bounded queue while it is read, and nothing after it. A million small events, because the
client library holds more beside each than the event itself.
"""

import pathlib

from cases import RealCase
from confluent_kafka import Producer
from processes import wait_until

EVENTS = 1_000_000
APPLICATIONS = 50
EVENT = (b'{"Event":"SparkListenerTaskStart","Stage ID":1,"Stage Attempt ID":0,"Task Info":{"Task ID":%d,"Index":1,'
         b'"Attempt":0,"Launch Time":1700000000000,"Executor ID":"1","Host":"h"}}')
# Without a bound by messages the queue takes 390 MiB, with one 250 or less; afterwards 20 to 110 are left.
PEAK_MIB = 330
AFTER_MIB = 170


class Memory(RealCase):
    def setUp(self):
        self.site_ = self.site("memory")
        self.agent = self.site_.agent()
        self.site_.create_topics(self.agent)
        producer = Producer({"bootstrap.servers": self.site_.broker.bootstrap, "linger.ms": 20, "compression.type": "lz4",
                             "log_level": 0})
        for i in range(EVENTS):
            while True:
                try:
                    producer.produce(self.site_.topics["events"], EVENT % i, b"app-%d" % (i % APPLICATIONS))
                    break
                except BufferError:
                    producer.poll(0.1)
        self.assertEqual(0, producer.flush(120))

    def status_mib(self, field):
        text = pathlib.Path(f"/proc/{self.agent.process.pid}/status").read_text()
        return next(int(line.split()[1]) // 1024 for line in text.splitlines() if line.startswith(field + ":"))

    def test_a_backlog_is_bounded_and_given_back(self):
        self.agent.start()
        wait_until("the backlog is read", lambda: (self.agent.metric("stoker_events_read_total") or 0) >= EVENTS, 240, 0.2,
                   self.agent.process)
        peak = self.status_mib("VmHWM")
        wait_until(f"its memory is given back, peak {peak} MiB", lambda: self.status_mib("VmRSS") < AFTER_MIB, 150, 0.5,
                   self.agent.process)
        print(f"    peak {peak} MiB, then {self.status_mib('VmRSS')} MiB")
        self.assertLess(peak, PEAK_MIB)
        self.agent.stop()
