"""Many applications interleaved event by event over several partitions, judged by two agents of one
group: each gets the records it would have got alone, also when one agent is killed in the middle.
"""

from cases import RealCase
from kafka_client import members
from logs import Log, interleaved
from processes import wait_until

LOGS = ("skew_groupbykey", "spill_sort", "executor_oom", "executor_lost", "slow_host", "failed_stage",
        "shuffle_overhead", "gc_pressure", "ok_groupby", "task_retries", "costly_records", "ok_join")
PARTITIONS = 6


class Fleet(RealCase):
    def start_two(self):
        """A site with two agents that share all partitions; the agents and whose is what."""
        site = self.site("fleet", partitions=PARTITIONS)
        site.config["kafka"]["consumer"]["session.timeout.ms"] = 6000
        first = site.running()
        second = site.agent().start().wait_ready()
        group = wait_until("two members with partitions", lambda: self.shared(site), 60, 0.3)
        return site, first, second, group

    @staticmethod
    def shared(site):
        group = members(site.broker.bootstrap, site.name)
        return group if len(group) == 2 and all(group.values()) else None

    def send(self, site, pairs):
        sender = site.sender()
        for log, line in pairs:
            sender.send(site.topics["events"], line, log.app_id)
        sender.flush()

    def check_records(self, site, logs, process):
        results = site.results().settle([(log.app_id, log.attempt) for log in logs], 90, process)
        self.assert_equal_offline(results, self.offline(logs))
        self.assertTrue(results.published())
        return results

    def test_two_agents_judge_as_one_by_one(self):
        logs = [Log.fixture(name) for name in LOGS]
        site, first, second, group = self.start_two()
        for topic in ("events", "runs"):
            for partition in range(PARTITIONS):
                owners = [m for m, own in group.items() if (site.topics[topic], partition) in own]
                self.assertEqual(1, len(owners), f"owners of {topic} {partition}")
        self.send(site, interleaved(logs))
        results = self.check_records(site, logs, first.process)
        self.assert_no_repeats(results)
        read = [agent.metric("stoker_events_read_total") for agent in (first, second)]
        self.assertTrue(all(read), f"events read by the two agents: {read}")
        self.assertEqual(sum(len(log.lines) for log in logs), sum(read))
        first.stop()
        second.stop()

    def test_what_comes_back_from_a_rebalance_keeps_its_state(self):
        logs = [Log.fixture(name) for name in LOGS]
        site = self.site("kept", partitions=PARTITIONS)
        first = site.running()
        pairs = list(interleaved(logs))
        self.send(site, pairs[:len(pairs) // 2])
        wait_until("read and committed", lambda: first.metric("stoker_events_read_total") == len(pairs) // 2 and
                   first.metric("stoker_input_lag_messages") == 0, 30, 0.3)
        second = site.agent().start().wait_ready()
        wait_until("two members with partitions", lambda: self.shared(site), 60, 0.3)
        first.wait_ready()
        kept = [line for line in first.process.log().splitlines() if "event=partition_loaded" in line and "kept=1" in line]
        self.assertTrue(kept, "the first agent read all state again")
        self.send(site, pairs[len(pairs) // 2:])
        results = self.check_records(site, logs, first.process)
        self.assert_no_repeats(results)
        first.stop()
        second.stop()

    def test_a_killed_agent_is_replaced_without_loss(self):
        logs = [Log.fixture(name) for name in LOGS]
        site, first, second, _ = self.start_two()
        pairs = list(interleaved(logs))
        self.send(site, pairs[:len(pairs) // 2])
        wait_until("work by the first agent", lambda: first.metric("stoker_events_read_total"), 30)
        first.kill()
        self.send(site, pairs[len(pairs) // 2:])
        self.check_records(site, logs, second.process)
        second.stop()

    def test_a_leaving_agent_hands_over_without_loss(self):
        logs = [Log.fixture(name) for name in LOGS]
        site, first, second, _ = self.start_two()
        pairs = list(interleaved(logs))
        self.send(site, pairs[:len(pairs) // 3])
        first.stop()
        self.send(site, pairs[len(pairs) // 3:])
        self.check_records(site, logs, second.process)
        second.stop()
