// Rows of error codes, worst first, and the platform's events.
import type { MetricSeries, PlatformEvent } from "../../api/types";
import { counts, isEmpty, together, total } from "./columns";
import type { Kept } from "./kept";
import type { ChartSpec, Line } from "./specs";
import { indexOf } from "./stretch";

/** What Heroku, and Logplex, mean by the codes that are met. Any other counts too. */
export const meanings: Record<string, string> = {
  H10: "app crashed", H11: "backlog too deep", H12: "request timeout, 30 s", H13: "connection closed without response", H14: "no web dynos running",
  H15: "idle connection", H16: "redirect to herokuapp.com", H17: "poorly formatted HTTP response", H18: "server request interrupted", H19: "backend connection timeout",
  H20: "app boot timeout", H21: "backend connection refused", H22: "connection limit reached", H23: "endpoint misconfigured", H24: "forced close",
  H25: "HTTP restriction", H26: "request error", H27: "client request interrupted", H28: "client connection idle", H31: "misdirected request",
  H80: "maintenance mode", H81: "blank app", H82: "free dyno quota exhausted", H83: "service unavailable", H99: "platform error",
  R10: "boot timeout, 60 s", R12: "exit timeout, 30 s", R13: "attach error", R14: "memory quota exceeded", R15: "memory quota vastly exceeded", R16: "detached",
  R17: "checksum error", R99: "platform error", L10: "drain buffer overflow", L11: "tail buffer overflow", L12: "local buffer overflow", L13: "local delivery error",
  L14: "certificate validation error", L15: "tail temporarily unavailable", L16: "series limit", L20: "tail sessions forbidden",
};

const code = /^(router|platform)\.error\.([HRL]\d\d)$/;
export const seriesOf = (text: string) => `${text.startsWith("H") ? "router" : "platform"}.error.${text}`;

/** The names to ask for: those that are met, and those that this channel was seen to have. */
export function codeNames(seen: MetricSeries[]): string[] {
  const names = new Set(Object.keys(meanings).map(seriesOf));
  for (const { name } of seen) if (code.test(name)) names.add(name);
  return [...names].sort();
}

/** Requests that failed before what dynos suffered before what became of lines; the most frequent first. */
const severity = (name: string) => ({ H: 0, R: 1, L: 2 })[name[0] as "H" | "R" | "L"];

export function errors(kept: Kept): ChartSpec {
  const rows: (Line & { all: number })[] = [];
  for (const series of kept.series) {
    const found = code.exec(series.name);
    if (!found || series.kind !== "router") continue;
    const text = found[2]!;
    const values = counts(series, kept.stretch, (point) => point.count);
    const all = total(values);
    if (isEmpty(values) || all === 0) continue;
    rows.push({ key: text, text, title: meanings[text], colour: text.startsWith("H") ? "bad" : "warn", values, all });
  }
  const values = together(rows.map((row) => row.values), kept.stretch);
  rows.forEach((row, index) => (row.values = values[index]!));
  rows.sort((a, b) => severity(a.key) - severity(b.key) || b.all - a.all || (a.key < b.key ? -1 : 1));
  return {
    id: "errors", title: "Errors and events", unit: "", shape: "rows", lines: rows,
    missing: rows.length || kept.events.length ? undefined : "No error code and no event in this time.",
    file: { names: rows.map((row) => seriesOf(row.key)), show: ["count"], sources: 0 },
  };
}

export const eventTime = (event: PlatformEvent) => Date.parse(event.time) / 1000;

/** Those of one step. */
export function eventsAt(kept: Kept, index: number | null): PlatformEvent[] {
  return index === null ? [] : kept.events.filter((event) => indexOf(kept.stretch, eventTime(event)) === index);
}
