"""The documents that users read, as the tests see them: fenced blocks with a language and a tag, and output with places that
differ from run to run."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]


def all_pages():
    """Every Markdown file of the tree by its path in it, but for what is built."""
    found = sorted(p.relative_to(ROOT) for p in ROOT.rglob("*.md"))
    return [p.as_posix() for p in found if p.parts[0] != "build" and not p.parts[0].startswith(".") and "node_modules" not in p.parts]


class Block:
    """One fenced block: its language, its tag (may be missing), its text, and its line in the page."""

    def __init__(self, page, line, language, tag, text):
        self.page, self.line, self.language, self.tag, self.text = page, line, language, tag, text

    def __repr__(self):
        return f"{self.page}:{self.line} ({self.language} {self.tag})"

    def commands(self):
        """What stands behind `$ `, with what must show: pairs of a command and its lines of output."""
        found = []
        for line in self.text.splitlines():
            if line.startswith("$ "):
                found.append(([line[2:]], []))
            elif found and not found[-1][1] and re.search(r"(\\|\||&&)$", found[-1][0][-1]):
                found[-1][0].append(line)
            elif found:
                found[-1][1].append(line)
            else:
                raise AssertionError(f"{self}: output without a command: {line}")
        return [("\n".join(command), output) for command, output in found]


def blocks(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    found, fence, indent = [], None, ""
    for number, line in enumerate(text.split("\n"), 1):
        if fence is None and line.lstrip().startswith("```"):
            language, _, tag = line.strip()[3:].partition(" ")
            indent = line[:len(line) - len(line.lstrip())]
            fence = Block(page, number, language, tag, "")
        elif fence is not None and line.strip() == "```":
            found.append(fence)
            fence = None
        elif fence is not None:
            fence.text += line.removeprefix(indent) + "\n"
    if fence is not None:
        raise AssertionError(f"{page}: a block does not end")
    return found


def block(page, tag):
    found = [b for b in blocks(page) if b.tag == tag]
    if len(found) != 1:
        raise AssertionError(f"{len(found)} blocks {tag} in {page}")
    return found[0]


def plain(line, numbers=False):
    """A line with what differs from run to run replaced by what it is: times (by their form), UUIDs (`8d3fd2f0-…` too), and
    with `numbers` counts, sizes and durations."""
    line = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)", lambda m: f"TIME{len(m[1] or '')}{m[2][:1]}",
                  line.rstrip())
    line = re.sub(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|\b[0-9a-f]{8}-…", "UUID", line)
    if numbers:
        line = re.sub(r"(?<![A-Z\d])\d[\d,.]*(?<![,.])", "N", line)
        line = re.sub(r"\bN(ms|h|m|s)(?:N[ms])*\b", "N", line)
        line = re.sub(r" +", " ", line)
    return line


def mismatch(expected, shown, numbers=False):
    """None if the lines that were shown are those of the page, else what is wrong. `…` stands for anything within a line,
    alone on one for any number of lines."""
    source = "".join(r"(?:.*\n)*?" if line.strip() == "…" else
                     ".*".join(map(re.escape, plain(line, numbers).split("…"))) + r"\n" for line in expected)
    if re.fullmatch(source, "".join(plain(line, numbers) + "\n" for line in shown)):
        return None
    return "the page has\n" + "\n".join(expected) + "\nit shows\n" + "\n".join(shown)
