"""The failing disk of tests/faults, as a test drives it."""

import mmap
import os
import pathlib
import random
import struct
import unittest

LIBRARY = os.environ.get("TAILRACE_FAULTS", "")
UNBOUNDED = 2**64 - 1
FIELDS = ("space", "fail_sync_in", "fail_syncs", "fail_writes", "fail_reads", "short_percent", "sync_micros", "neighbour",
          "syncs", "syncs_failed", "no_space", "shortened")
SECTOR = 512
LINE = struct.Struct("<QQQ")


class Faults:
    """What fails below `directory`; `root` is a place for the control file and the journal, on the same file system.
    Attributes of FIELDS are read and set while a process runs."""

    def __init__(self, directory, root, journal=False):
        if not LIBRARY or not os.path.exists(LIBRARY):
            raise unittest.SkipTest("libtailrace_faults.so is not built")
        object.__setattr__(self, "directory", os.path.realpath(directory))
        control = os.path.join(root, "control")
        with open(control, "wb") as file:
            file.write(struct.pack("<Q", UNBOUNDED).ljust(4096, b"\0"))
        with open(control, "r+b") as file:
            object.__setattr__(self, "_map", mmap.mmap(file.fileno(), 4096))
        self.environment = {"LD_PRELOAD": LIBRARY, "TAILRACE_FAULTS_PREFIX": self.directory,
                            "TAILRACE_FAULTS_CONTROL": control}
        self.journal = None
        if journal:
            self.journal = pathlib.Path(root, "journal")
            self.journal.mkdir()
            self.environment["TAILRACE_FAULTS_JOURNAL"] = str(self.journal)

    def __getattr__(self, name):
        if name not in FIELDS:
            raise AttributeError(name)
        return struct.unpack_from("<Q", self._map, 8 * FIELDS.index(name))[0]

    def __setattr__(self, name, value):
        if name in FIELDS:
            struct.pack_into("<Q", self._map, 8 * FIELDS.index(name), value)
        else:
            object.__setattr__(self, name, value)

    def close(self):
        self._map.close()

    # ---- lost power

    def power_cut(self, seed=None):
        """Undoes what was not synced; the process is gone. With a seed, some of it. Returns how much there was: files,
        and changes of directories."""
        generator = None if seed is None else random.Random(seed)
        undone = self._files(generator), self._directories(generator)
        for left in self.journal.iterdir():
            left.unlink()
        return undone

    def _files(self, generator):
        by_id = {}
        for folder in (self.directory, self.journal):  # what was unlinked has its name in the journal
            for path in pathlib.Path(folder).rglob("*"):
                if path.is_file() and not path.is_symlink():
                    status = path.stat()
                    by_id[f"{status.st_dev}-{status.st_ino}.data"] = path
        count = 0
        for journal in sorted(self.journal.glob("*.data")):
            path = by_id.get(journal.name)
            if path is None:
                continue
            now = path.read_bytes()
            then = bytes(before(now, journal.read_bytes()))
            if now == then:
                continue
            count += 1
            path.write_bytes(then if generator is None else mixed(then, now, generator))
        return count

    def _directories(self, generator):
        count = 0
        for journal in sorted(self.journal.glob("*.dir")):
            changes = [line.split("\t") for line in journal.read_text().splitlines()]
            kept = 0 if generator is None else generator.randint(0, len(changes))
            for what, path, to, saved in reversed(changes[kept:]):
                count += 1
                if what == "create":
                    pathlib.Path(path).unlink(missing_ok=True)
                elif what == "unlink" and saved:
                    if not os.path.exists(path):
                        os.link(saved, path)
                elif what == "rename":
                    if os.path.exists(to):
                        os.rename(to, path)
                    if saved:
                        os.link(saved, to)
        return count


def before(now, journal):
    """The bytes of a file before the changes that its journal tells."""
    lines, at = [], 0
    while at + LINE.size <= len(journal):
        kind, offset, size = LINE.unpack_from(journal, at)
        at += LINE.size
        lines.append((kind, offset, journal[at:at + size] if kind == 0 else bytes(size)))
        at += size if kind == 0 else 0
    then = bytearray(now)
    for kind, offset, old in reversed(lines):
        if kind == 2:
            del then[offset:]
            then.extend(bytes(offset - len(then)))
        else:
            then[offset:offset + len(old)] = old
    return then


def mixed(then, now, generator):
    """Each sector as it was or as it is."""
    size = generator.choice((len(then), len(now)))
    longest = max(len(then), len(now))
    then, now = then.ljust(longest, b"\0"), bytearray(now.ljust(longest, b"\0"))
    for at in range(0, longest, 1 << 16):
        if then[at:at + (1 << 16)] == now[at:at + (1 << 16)]:
            continue
        for sector in range(at, min(at + (1 << 16), longest), SECTOR):
            if generator.random() < 0.5:
                now[sector:sector + SECTOR] = then[sector:sector + SECTOR]
    return bytes(now[:size])
