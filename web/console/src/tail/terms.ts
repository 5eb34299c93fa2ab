// The filter's language (docs/drains.md#filters) as the page reads it while it is typed: text in any case, pairs and
// fields. Expressions are the router's; here they hold for everything.
import type { Line } from "./buffer";
import { amountOf, closingQuote, pairOf, type Amount } from "./pairs";

type Op = "=" | "!=" | "<" | "<=" | ">" | ">=";
type Test =
  | { kind: "text"; text: string } // lower case
  | { kind: "pair"; name: string; op: Op; value: string; amount?: Amount }
  | { kind: "field"; field: "app" | "procid" | "host" | "msgid" | "facility"; op: Op; value: string }
  | { kind: "severity"; op: Op; value: number }
  | { kind: "router" } // an expression
  | { kind: "unfinished" };

export interface Term {
  source: string; // as it stands
  negated: boolean;
  test: Test;
}
/** A line is wanted if of one list all terms hold. */
export type Terms = Term[][];

export const severities = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];
const otherSeverities: Record<string, number> = { emergency: 0, critical: 2, error: 3, warn: 4, informational: 6 };

export function severityOf(name: string): number | undefined {
  const low = name.toLowerCase();
  const found = severities.indexOf(low);
  if (found >= 0) return found;
  return Object.hasOwn(otherSeverities, low) ? otherSeverities[low] : /^[0-7]$/.test(low) ? Number(low) : undefined;
}

/** What is wrong or not finished yet is no error here: it holds for every line. */
export function parseTerms(text: string): Terms {
  const lists: Terms = [[]];
  for (let at = 0; at < text.length; ) {
    if (text.charCodeAt(at) <= 0x20) {
      at += 1;
      continue;
    }
    const end = termEnd(text, at);
    const source = text.slice(at, end);
    at = end;
    if (source === "or") lists.push([]);
    else lists[lists.length - 1]!.push(termOf(source));
  }
  return lists.length > 1 ? lists.filter((list) => list.length > 0) : lists[0]!.length > 0 ? lists : [];
}

function wordEnd(text: string, from: number): number {
  let end = from;
  while (end < text.length && text.charCodeAt(end) > 0x20) end += 1;
  return end;
}

function termEnd(text: string, from: number): number {
  const at = text[from] === "-" ? from + 1 : from;
  if (text[at] === '"') {
    const closing = closingQuote(text, at + 1);
    return closing < 0 ? text.length : wordEnd(text, closing);
  }
  if (text[at] === "/") {
    let end = at + 1;
    while (end < text.length && text[end] !== "/") end += text[end] === "\\" ? 2 : 1;
    return end >= text.length ? wordEnd(text, at) : wordEnd(text, end);
  }
  const quote = /^[^\s"]*?(?:[=<>]=?|~|!=)"/.exec(text.slice(at, wordEnd(text, at)));
  if (!quote) return wordEnd(text, at);
  const closing = closingQuote(text, at + quote[0].length);
  return closing < 0 ? text.length : wordEnd(text, closing);
}

const literalSigns = /[\\^$.*+?()[\]{}|/]/g;

/** The text that `/…/i` looks for, if it is no more than a text. */
function literalOf(expression: string): string | undefined {
  const bare = expression.replace(/\\[\\^$.*+?()[\]{}|/]/g, "");
  if (/[\\^$.*+?()[\]{}|]/.test(bare)) return undefined;
  return expression.replace(/\\(.)/g, "$1");
}

function termOf(source: string): Term {
  const negated = source[0] === "-" && source.length > 1;
  return { source, negated, test: testOf(negated ? source.slice(1) : source) };
}

function unquoted(text: string): string {
  return text.replace(/^"/, "").replace(/"$/, "").replace(/\\(["\\])/g, "$1");
}

function testOf(source: string): Test {
  const text = (words: string): Test => (words === "" ? { kind: "unfinished" } : { kind: "text", text: words.toLowerCase() });
  if (source === "-") return { kind: "unfinished" };
  if (source[0] === '"') return text(unquoted(source));
  const [, expression, flag] = /^\/(.+)\/(i?)$/s.exec(source) ?? [];
  if (expression !== undefined) {
    const literal = flag === "i" ? literalOf(expression) : undefined;
    return literal === undefined ? { kind: "router" } : text(literal);
  }
  if (source[0] === "/") return source.length > 1 && !source.slice(1).includes("/") ? text(source) : { kind: "unfinished" };
  const [, name, op, given] = /^([^=<>~!"]+)(!=|<=|>=|=|<|>|~)(.*)$/s.exec(source) ?? [];
  if (name === undefined) return source[0] === "@" ? { kind: "unfinished" } : text(source);
  if (op === "~") return { kind: "router" };
  const value = given![0] === '"' ? given!.slice(1).replace(/"$/, "") : given!;
  return name[0] === "@" ? fieldTest(name.slice(1), op as Op, value) : pairTest(name, op as Op, value);
}

function pairTest(name: string, op: Op, value: string): Test {
  if (op === "=" || op === "!=") return { kind: "pair", name, op, value };
  const amount = amountOf(value);
  return amount ? { kind: "pair", name, op, value, amount } : { kind: "unfinished" };
}

function fieldTest(field: string, op: Op, value: string): Test {
  if (field === "severity") {
    const number = severityOf(value);
    return number === undefined ? { kind: "unfinished" } : { kind: "severity", op, value: number };
  }
  if (value === "" || (op !== "=" && op !== "!=")) return { kind: "unfinished" };
  if (field === "app" || field === "procid" || field === "host" || field === "msgid" || field === "facility")
    return { kind: "field", field, op, value };
  return { kind: "unfinished" };
}

function compare<T>(op: Op, a: T, b: T): boolean {
  if (op === "=") return a === b;
  if (op === "!=") return a !== b;
  if (op === "<") return a < b;
  if (op === "<=") return a <= b;
  return op === ">" ? a > b : a >= b;
}

function holds(test: Test, line: Line, lower: () => string): boolean {
  switch (test.kind) {
    case "text":
      return lower().includes(test.text);
    case "pair": {
      const value = pairOf(line.message, test.name);
      if (value === undefined) return test.op === "!=";
      if (!test.amount) return compare(test.op, value, test.value);
      const amount = amountOf(value);
      if (!amount) return false;
      if (test.amount.kind === "plain") return compare(test.op, amount.number, test.amount.number);
      return amount.kind === test.amount.kind && compare(test.op, amount.value, test.amount.value);
    }
    case "field": {
      const value = line[test.field] ?? "";
      const same = value === test.value || (test.field === "procid" && value.startsWith(`${test.value}.`));
      return same === (test.op === "=");
    }
    case "severity":
      return compare(test.op, severityOf(line.severity) ?? 6, test.value);
    default:
      return true;
  }
}

export function wants(terms: Terms, line: Line): boolean {
  if (terms.length === 0) return true;
  let low: string | undefined;
  const lower = () => (low ??= line.message.toLowerCase());
  const is = (term: Term) =>
    term.test.kind === "router" || term.test.kind === "unfinished" || holds(term.test, line, lower) !== term.negated;
  return terms.some((list) => list.every(is));
}

/** What to mark in messages, in lower case. */
export function needlesOf(terms: Terms): string[] {
  const found = terms.flat().flatMap(({ negated, test }) => (test.kind === "text" && !negated ? [test.text] : []));
  return [...new Set(found)].sort((a, b) => b.length - a.length);
}

/** Whether only the router can judge some of it. */
export const hasExpressions = (terms: Terms) => terms.flat().some(({ test }) => test.kind === "router");

/** The same as a filter of the router's: a text becomes `/text/i`, and what is not finished stays for it to refuse. */
export function filterOf(terms: Terms): string {
  const one = ({ source, negated, test }: Term) =>
    test.kind === "text" ? `${negated ? "-" : ""}/${textOf(source, negated).replace(literalSigns, "\\$&")}/i` : source;
  return terms.map((list) => list.map(one).join(" ")).join(" or ");
}

function textOf(source: string, negated: boolean): string {
  const bare = negated ? source.slice(1) : source;
  if (bare[0] === '"') return unquoted(bare);
  const [, expression] = /^\/(.+)\/i$/s.exec(bare) ?? [];
  return (expression !== undefined ? literalOf(expression) : undefined) ?? bare;
}

/** A term for people: `"timeout"` for `/timeout/i`. */
export function shownTerm(term: Term): string {
  if (term.test.kind !== "text" || !term.source.includes("/")) return term.source;
  return `${term.negated ? "-" : ""}"${textOf(term.source, term.negated)}"`;
}

/** A term that a pair of this name has this value, which stands as it was written. */
export function pairTerm(name: string, value: string): string {
  return /\s|^$/.test(value) ? `${name}="${value}"` : `${name}=${value}`;
}
