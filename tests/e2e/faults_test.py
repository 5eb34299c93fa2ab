"""The failing disk fails as it says: a test on a disk that never failed would prove nothing."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from faults import UNBOUNDED, Faults


class FailingDisk(unittest.TestCase):
    def setUp(self):
        root = tempfile.TemporaryDirectory(prefix="tailrace-e2e-")
        self.addCleanup(root.cleanup)
        self.dir = pathlib.Path(root.name, "data")
        self.dir.mkdir()
        self.faults = Faults(self.dir, root.name, journal=True)
        self.addCleanup(self.faults.close)

    def python(self, script, end=0):
        """Runs it in the directory on the failing disk; what it printed."""
        done = subprocess.run([sys.executable, "-c", "import os\n" + script], cwd=self.dir, capture_output=True, text=True,
                              env={**os.environ, **self.faults.environment}, check=False)
        self.assertEqual(done.returncode, end, done.stderr)
        return done.stdout.split()

    def write(self, text, sync):
        self.python(f"fd = os.open('a', os.O_RDWR | os.O_CREAT)\nos.pwrite(fd, b'{text}', 0)\n" +
                    ("os.fsync(fd)\nos.fsync(os.open('.', os.O_RDONLY))" if sync else ""))

    def read(self, name="a"):
        return (self.dir / name).read_bytes()

    def test_full_disk(self):
        self.faults.space = 10
        script = """
fd = os.open('a', os.O_RDWR | os.O_CREAT)
print(os.pwrite(fd, b'x' * 8, 0))
print(os.pwrite(fd, b'y' * 8, 0))   # no growth
print(os.pwrite(fd, b'z' * 8, 8))   # two bytes fit
try: os.pwrite(fd, b'z' * 8, 10)
except OSError as e: print(e.errno)
os.ftruncate(fd, 5)
print(os.pwrite(fd, b'z' * 8, 5))
try: os.posix_fallocate(fd, 0, 100)
except OSError as e: print(e.errno)
os.unlink('a')
"""
        self.assertEqual(self.python(script), ["8", "8", "2", "28", "5", "28"])
        self.assertEqual(self.faults.space, 10)
        self.assertEqual(self.faults.no_space, 4)
        self.faults.space = UNBOUNDED
        self.assertEqual(self.python("fd = os.open('b', os.O_RDWR | os.O_CREAT)\nos.posix_fallocate(fd, 0, 100)\n"
                                     "print(os.fstat(fd).st_size)"), ["100"])

    def test_short_writes(self):
        self.faults.short_percent = 100
        written = self.python("fd = os.open('a', os.O_RDWR | os.O_CREAT)\nprint(os.pwrite(fd, b'x' * 1000, 0))\n"
                              "print(os.write(fd, b'x' * 1000))")
        for count in written:
            self.assertIn(int(count), range(1, 1000))
        self.assertEqual(self.faults.shortened, 2)

    def test_reads_and_writes_that_fail(self):
        self.write("text", True)
        for fault, call in (("fail_reads", "os.pread(fd, 4, 0)"), ("fail_writes", "os.pwrite(fd, b'no', 0)")):
            setattr(self.faults, fault, 1)
            self.assertEqual(self.python(f"fd = os.open('a', os.O_RDWR)\ntry: {call}\nexcept OSError as e: print(e.errno)"), ["5"])
            setattr(self.faults, fault, 0)
        self.assertEqual(self.read(), b"text")

    def test_a_failed_sync_loses_what_it_was_to_sync_and_the_next_one_says_nothing(self):
        self.write("first", True)
        self.faults.fail_sync_in = 2
        script = """
fd = os.open('a', os.O_RDWR)
os.pwrite(fd, b'SECOND', 0)
os.fdatasync(fd)
os.pwrite(fd, b'third!!', 0)
try: os.fdatasync(fd)
except OSError as e: print(e.errno)
print(os.pread(fd, 10, 0).decode())
os.fdatasync(fd)
"""
        self.assertEqual(self.python(script), ["5", "SECOND"])
        self.assertEqual((self.faults.syncs_failed, self.read()), (1, b"SECOND"))

    def test_lost_power_takes_what_was_not_synced(self):
        self.write("synced", True)
        self.write("newer, longer", False)
        self.assertEqual(self.faults.power_cut(), (1, 0))
        self.assertEqual(self.read(), b"synced")
        self.write("newer, longer", True)
        self.assertEqual(self.faults.power_cut(), (0, 0))
        self.assertEqual(self.read(), b"newer, longer")

    def test_lost_power_after_a_cut_and_an_allocation(self):
        self.write("x" * 20, True)
        self.python("fd = os.open('a', os.O_RDWR)\nos.ftruncate(fd, 3)\nos.posix_fallocate(fd, 0, 5000)\nos.pwrite(fd, b'yy', 4000)")
        self.faults.power_cut()
        self.assertEqual(self.read(), b"x" * 20)

    def test_lost_power_undoes_names(self):
        self.write("old", True)
        self.python("os.mkdir('sub')")
        self.python("""
open('b', 'wb', 0).write(b'new')
os.rename('b', 'a')
open('c', 'wb', 0).write(b'c')
os.unlink('a')
""")
        self.assertFalse((self.dir / "a").exists())
        self.faults.power_cut()
        self.assertEqual((self.read(), (self.dir / "b").exists(), (self.dir / "c").exists()), (b"old", False, False))

    def test_lost_power_leaves_any_sectors(self):
        old, new = b"o" * 8192, b"n" * 8192
        (self.dir / "a").write_bytes(old)
        seen = set()
        for seed in range(20):
            (self.dir / "a").write_bytes(old)
            self.python("fd = os.open('a', os.O_RDWR)\nos.pwrite(fd, b'n' * 8192, 0)")
            self.faults.power_cut(seed)
            now = self.read()
            self.assertEqual(len(now), 8192)
            for at in range(0, 8192, 512):
                self.assertIn(now[at:at + 512], (old[:512], new[:512]))
            seen.add(now)
        self.assertGreater(len(seen), 10)

    def test_files_elsewhere_are_left_alone(self):
        self.faults.space = 0
        self.faults.fail_syncs = 1
        self.python("fd = os.open('../other', os.O_RDWR | os.O_CREAT)\nos.pwrite(fd, b'x' * 100, 0)\nos.fsync(fd)")
        self.assertEqual((self.faults.no_space, self.faults.syncs), (0, 0))


if __name__ == "__main__":
    unittest.main()
