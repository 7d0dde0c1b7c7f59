"""Tests of kafka_files: segments made by hand, with and without the marker that must be there."""

import pathlib
import tempfile
import unittest

from kafka_files import CONTROL, HEAD, TRANSACTIONAL, forgotten_markers


def batch(offset, producer, epoch, marker=False, attributes=TRANSACTIONAL):
    body = b"x" * 7
    head = HEAD.pack(offset, HEAD.size - 12 + len(body), 0, 2, 0, attributes | (CONTROL if marker else 0), 0, 0, 0,
                     producer, epoch, 0, 1)
    return head + body


class ForgottenMarkers(unittest.TestCase):
    def lines(self, *batches):
        with tempfile.TemporaryDirectory() as folder:
            part = pathlib.Path(folder) / "a.runs-0"
            part.mkdir()
            (part / "00000000000000000000.log").write_bytes(b"".join(batches) + bytes(100))
            other = pathlib.Path(folder) / "other-0"
            other.mkdir()
            (other / "00000000000000000000.log").write_bytes(batch(0, 1, 0) + batch(1, 1, 1))
            return forgotten_markers(pathlib.Path(folder), ["a.runs"])

    def test_every_transaction_has_its_end(self):
        self.assertEqual(self.lines(batch(0, 1, 0), batch(1, 2, 5), batch(2, 1, 0), batch(3, 1, 0, True),
                                    batch(4, 1, 1), batch(5, 2, 5, True), batch(6, 2, 6)), [])

    def test_one_has_none(self):
        lines = self.lines(batch(0, 1, 0), batch(1, 2, 0), batch(2, 1, 1), batch(3, 1, 1, True))
        self.assertEqual(len(lines), 1)
        self.assertIn("producer 1 wrote with epoch 1 at 2", lines[0])

    def test_what_is_in_no_transaction_needs_none(self):
        self.assertEqual(self.lines(batch(0, 1, 0, attributes=0), batch(1, 1, 1, attributes=0)), [])


if __name__ == "__main__":
    unittest.main()
