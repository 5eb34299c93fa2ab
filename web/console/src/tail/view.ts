// What a reader wants to see, as the URL has it, and what the router is asked for it.
import { parseTerms, type Terms } from "./terms";
import type { Ask } from "./stream";

export interface View {
  // The router's part: another value asks it anew.
  ps: string;
  source: string;
  severity: string;
  filter: string;
  grep: string[];
  exclude: string[];
  since: string;
  after: string;
  // The page's own.
  q: string;
}

export function viewOf(query: URLSearchParams): View {
  const one = (name: string) => query.get(name)?.trim() ?? "";
  const list = (name: string) => query.getAll(name).filter((text) => text !== "");
  const after = one("after");
  return {
    ps: one("ps"),
    source: one("source"),
    severity: one("severity"),
    filter: one("filter"),
    grep: list("grep"),
    exclude: list("exclude"),
    since: one("since"),
    after: /^\d{1,16}$/.test(after) ? after : "",
    q: query.get("q") ?? "",
  };
}

/** A moment, or a number, rather than "the last 15 minutes": its lines are read from there on, oldest first. */
export const fromThePast = (view: View) => view.after !== "" || /^\d{4}-/.test(view.since);

/** Whether the router leaves something out. */
export const isNarrow = (view: View) =>
  !!(view.ps || view.source || view.severity || view.filter || view.grep.length || view.exclude.length);

const newest = 200; // lines of history first

/** `most`: what the page holds. */
export function askOf(channel: string, view: View, most: number): Ask {
  const ask: Ask = { channel_id: channel, tail: "1" };
  for (const name of ["ps", "source", "severity", "filter", "since"] as const) if (view[name]) ask[name] = view[name];
  for (const name of ["grep", "exclude"] as const) if (view[name].length) ask[name] = view[name];
  if (view.after) ask.after = Number(view.after);
  if (!fromThePast(view)) ask.num = String(view.since ? most : newest);
  return ask;
}

/** The terms of the router's filter and greps that mark texts. */
export function termsOf(view: View): Terms {
  const greps = view.grep.map((text) => `/${text.replace(/^\(\?i\)/, "").replace(/(?<!\\)\//g, "\\/")}/i`);
  return parseTerms([view.filter, ...greps].join(" "));
}

/** One of a filter's terms less. */
export function withoutTerm(filter: string, term: string): string {
  const terms = parseTerms(filter);
  if (terms.length !== 1) return "";
  let gone = false;
  return terms[0]!.map(({ source }) => source).filter((source) => source !== term || gone || !(gone = true)).join(" ");
}

/** A term more; of a filter with `or` it goes to each list. */
export function withTerm(filter: string, more: string): string {
  const added = parseTerms(more);
  if (added.length === 0) return filter;
  const lists = parseTerms(filter);
  const text = (terms: Terms[number]) => terms.map(({ source }) => source).join(" ");
  if (lists.length === 0) return more;
  return lists.flatMap((list) => added.map((others) => `${text(list)} ${text(others)}`)).join(" or ");
}

export const durations: [string, string][] = [
  ["", "newest 200"],
  ["5m", "last 5 min"],
  ["15m", "last 15 min"],
  ["1h", "last hour"],
  ["24h", "last 24 hours"],
  ["oldest", "all that is kept"],
];
