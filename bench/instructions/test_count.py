"""What is remembered of counts, with made ones: `python3 -m unittest` from here."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path
from unittest import mock

import count


class Remembered(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.inputs = {"python": "one", "node": "one"}
        self.seen = Path(folder.name, "not", "there", "counted.json")
        self.counted = mock.Mock(side_effect=lambda names: {name: {"a path": 7.0} for name in names})
        patched = mock.patch.multiple(count, SEEN=self.seen, inputs=self.inputs.__getitem__, counted=self.counted)
        patched.start()
        self.addCleanup(patched.stop)

    def test_what_is_as_it_was_is_not_counted_again_and_what_changed_is(self) -> None:
        both = {"python": {"a path": 7.0}, "node": {"a path": 7.0}}
        for _ in range(2):
            self.assertEqual(count.remembered(["python", "node"]), both)
        self.inputs["node"] = "another"
        self.assertEqual(count.remembered(["python", "node"]), both)
        self.assertEqual(self.counted.call_args_list, [mock.call(["python", "node"]), mock.call(["node"])])

    def test_where_nothing_can_be_counted_nothing_is_kept(self) -> None:
        self.assertEqual(count.remembered([]), {})
        self.assertFalse(self.seen.exists())


if __name__ == "__main__":
    unittest.main()
