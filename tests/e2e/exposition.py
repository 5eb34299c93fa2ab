"""A scrape, read as strictly as its specification has it: Prometheus text 0.0.4 and OpenMetrics 1.0."""

import collections
import re

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN")
SUFFIXES = {"counter": {""}, "gauge": {""}, "histogram": {"_bucket", "_sum", "_count"}, "summary": {"", "_sum", "_count"}}

Sample = collections.namedtuple("Sample", "name labels value exemplar")
Exemplar = collections.namedtuple("Exemplar", "labels value time")


class Family:
    def __init__(self, name, help_):
        self.name, self.help, self.type, self.unit, self.samples = name, help_, None, None, []

    def label_names(self):
        return sorted({name for sample in self.samples for name in sample.labels})


def unescaped(text):
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] == "n" else match[1], text)


def read_labels(text, at):
    """The labels that begin at a brace, and where they end."""
    labels = {}
    at += 1
    while text[at] != "}":
        label = LABEL.match(text, at)
        assert label, text[at:]
        assert label[1] not in labels, text
        labels[label[1]] = unescaped(label[2])
        at = label.end()
        if text[at] == ",":
            at += 1
        else:
            assert text[at] == "}", text
    return labels, at + 1


def number(text):
    assert NUMBER.fullmatch(text), text
    return float(text)


def read_sample(line, openmetrics):
    name = NAME.match(line)
    assert name, line
    at, labels = name.end(), {}
    if line[at] == "{":
        labels, at = read_labels(line, at)
    assert line[at] == " ", line
    value, mark, rest = line[at + 1:].partition(" # ")
    exemplar = None
    if mark:
        assert openmetrics and name[0].endswith("_bucket"), line
        its_labels, end = read_labels(rest, 0)
        assert sum(len(k) + len(v) for k, v in its_labels.items()) <= 128, line
        its_value, its_time = rest[end + 1:].split(" ")
        exemplar = Exemplar(its_labels, number(its_value), number(its_time))
    return Sample(name[0], labels, number(value), exemplar)


def read_exposition(body, openmetrics=False):
    """Families by name, a counter's with `_total`; whatever is wrong with it fails."""
    text = body.decode("utf-8")
    assert text.endswith("# EOF\n" if openmetrics else "\n"), text[-100:]
    lines = text[:-1].split("\n")
    assert lines.count("# EOF") == openmetrics
    if openmetrics:
        lines.pop()
    families, family, seen = {}, None, set()
    for line in lines:
        if line.startswith("# HELP "):
            _, _, name, help_ = line.split(" ", 3)
            assert name not in families, f"{name} begins twice"
            family = families[name] = Family(name, help_)
        elif line.startswith("# TYPE "):
            _, _, name, family.type = line.split(" ")
            assert name == family.name and not family.samples and family.type in SUFFIXES, line
        elif line.startswith("# UNIT "):
            _, _, name, family.unit = line.split(" ")
            assert openmetrics and name == family.name and name.endswith("_" + family.unit), line
        else:
            sample = read_sample(line, openmetrics)
            base = family.name + ("_total" if openmetrics and family.type == "counter" else "")
            assert sample.name.startswith(base) and sample.name[len(base):] in SUFFIXES[family.type], (family.name, line)
            assert (family.type == "counter") == base.endswith("_total"), f"{base} is a {family.type}"
            key = (sample.name, *sorted(sample.labels.items()))
            assert key not in seen, f"twice: {line}"
            seen.add(key)
            if family.type == "counter":
                assert sample.value >= 0, line
            family.samples.append(sample)
    for family in families.values():
        assert family.samples, f"{family.name} has no samples"
        if family.type == "histogram":
            check_histogram(family)
    return {name + ("_total" if openmetrics and family.type == "counter" else ""): family for name, family in families.items()}


def check_histogram(family):
    """Buckets ascend, the last is +Inf and the count; an exemplar lies within its bucket."""
    buckets, counts = collections.defaultdict(list), {}
    for sample in family.samples:
        rest = {k: v for k, v in sample.labels.items() if k != "le"}
        key = tuple(sorted(rest.items()))
        if sample.name.endswith("_bucket"):
            buckets[key].append((float(sample.labels["le"]), sample))
        elif sample.name.endswith("_count"):
            counts[key] = sample.value
    assert set(buckets) == set(counts), family.name
    for key, all_ in buckets.items():
        bounds = [bound for bound, _ in all_]
        values = [sample.value for _, sample in all_]
        assert bounds == sorted(set(bounds)) and bounds[-1] == float("inf"), (family.name, key)
        assert values == sorted(values) and values[-1] == counts[key], (family.name, key)
        lower = float("-inf")
        for bound, sample in all_:
            if sample.exemplar:
                assert lower < sample.exemplar.value <= bound, sample
            lower = bound


def samples_of(families):
    """Value by name and labels, exemplars aside."""
    return {(sample.name, *sorted(sample.labels.items())): sample.value
            for family in families.values() for sample in family.samples}
