"""Links between the pages: each relative one leads to a file that is there, each `#…` to a heading of it, and pages of docs/ are found from README.md."""

import pathlib
import re
import unittest

from pages import ROOT, all_pages, blocks

OUTSIDE = re.compile(r"[a-z][a-z0-9+.-]*:|//")


def prose(page):
    """A page without its blocks and without what stands in backticks."""
    lines = (ROOT / page).read_text(encoding="utf-8").split("\n")
    for b in blocks(page):
        for number in range(b.line - 1, b.line + b.text.count("\n") + 1):
            lines[number] = ""
    return re.sub(r"`[^`\n]*`", "`…`", "\n".join(lines))


def links(page):
    return re.findall(r"\]\(([^()\s]*(?:\([^()]*\))?[^()\s]*)\)", re.sub(r"`[^`\n]*`", "…", prose(page)))


def anchors(page):
    """What GitHub makes of the headings."""
    found, seen = set(), {}
    lines = (ROOT / page).read_text(encoding="utf-8").split("\n")
    for b in blocks(page):
        for number in range(b.line - 1, b.line + b.text.count("\n") + 1):
            lines[number] = ""
    for line in lines:
        if heading := re.fullmatch(r"#+ (.*?)\s*#*", line):
            name = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading[1]).lower()).replace(" ", "-")
            count = seen[name] = seen.get(name, -1) + 1
            found.add(f"{name}-{count}" if count else name)
    return found


class Links(unittest.TestCase):
    def test_each_leads_somewhere(self):
        count = 0
        for page in all_pages():
            for link in links(page):
                if OUTSIDE.match(link):
                    continue
                count += 1
                with self.subTest(page=page, link=link):
                    path, _, anchor = link.partition("#")
                    target = (ROOT / page).parent.joinpath(path).resolve() if path else ROOT / page
                    self.assertTrue(target.exists(), "no such file")
                    self.assertTrue(target.is_relative_to(ROOT), "outside the tree")
                    if anchor:
                        self.assertIn(anchor, anchors(target.relative_to(ROOT).as_posix()), "no such heading")
        self.assertGreater(count, 50)

    def test_every_page_of_docs_is_found_from_the_front(self):
        reached, to_read = set(), ["README.md"]
        while to_read:
            page = to_read.pop()
            if page in reached:
                continue
            reached.add(page)
            for link in links(page):
                path = link.partition("#")[0]
                if path and not OUTSIDE.match(link):
                    target = (ROOT / page).parent.joinpath(path).resolve()
                    if target.is_dir():
                        to_read += [p.relative_to(ROOT).as_posix() for p in target.glob("*.md")]
                    elif target.suffix == ".md":
                        to_read.append(target.relative_to(ROOT).as_posix())
        lost = [page for page in all_pages() if page.startswith("docs/") and page not in reached]
        self.assertEqual(lost, [])

    def test_paths_in_backticks_are_there(self):
        """`tests/e2e/x_test.py`, `bench/one-path`: a name that begins with a folder of the tree."""
        folders = "|".join(sorted(p.name for p in ROOT.iterdir() if p.is_dir() and not p.name.startswith((".", "build"))))
        for page in all_pages():
            text = (ROOT / page).read_text(encoding="utf-8")
            for name in re.findall(rf"`((?:{folders})/[\w./*-]*)`", text):
                with self.subTest(page=page, name=name):
                    places = [p for p in (ROOT, (ROOT / page).parent) for p in
                              [*p.glob(name.rstrip("/")), *p.glob(name.rstrip("/") + ".*"), *p.glob(name.rstrip("/") + "_bench.cpp")]]
                    self.assertTrue(places, "no such file")


if __name__ == "__main__":
    unittest.main()
