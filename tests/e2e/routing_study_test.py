"""docs/routing-study.md and its picture are what the command makes, to the last byte."""

import os
import pathlib
import subprocess
import tempfile
import unittest

from harness import BINARY

DOCS = pathlib.Path(__file__).parents[2] / "docs"


def study(folder, *arguments):
    return subprocess.run([BINARY, "simulate", "--study", folder, *arguments], capture_output=True, timeout=280)


class RoutingStudy(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    @unittest.skipIf(os.environ.get("TAILRACE_SANITIZED"), "too long under a sanitizer")
    def test_committed_files(self):
        page = (DOCS / "routing-study.md").read_text()
        begin, end = "<!-- tables -->\n", "<!-- end of tables -->\n"
        head, rest = page.split(begin)
        (self.folder / "routing-study.md").write_text(head + begin + end + rest.split(end)[1])
        done = study(self.folder)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
        self.assertEqual((self.folder / "routing-study.md").read_text(), page)
        self.assertEqual((self.folder / "routing-study.svg").read_text(), (DOCS / "routing-study.svg").read_text())

    def test_without_a_page_the_tables_are_it(self):
        done = study(self.folder, "--duration", "2s")
        self.assertEqual(done.returncode, 0, done.stderr)
        page = (self.folder / "routing-study.md").read_text()
        self.assertTrue(page.startswith("**Response times in ms"), page)
        self.assertEqual(page.count("| random |"), 3)
        self.assertTrue((self.folder / "routing-study.svg").read_text().endswith("</svg>\n"))

    def test_a_folder_that_is_not_there(self):
        done = study(self.folder / "none", "--duration", "1s")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"routing-study.md cannot be written", done.stderr)


if __name__ == "__main__":
    unittest.main()
