// What a message says of itself: key=value pairs as docs/drains.md takes them, or a JSON object.

const blank = (text: string, at: number) => text.charCodeAt(at) <= 0x20;

/** Where the quote is that closes the one before `from`: the next with an even number of backslashes before it; -1. */
export function closingQuote(text: string, from: number): number {
  for (let quote = text.indexOf('"', from); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let run = quote;
    while (run > from && text[run - 1] === "\\") run -= 1;
    if ((quote - run) % 2 === 0) return quote;
  }
  return -1;
}

/** In order, a name again where it stands again. Behind a quote that never closes nothing counts. */
export function pairsOf(text: string, most = 200): [string, string][] {
  const pairs: [string, string][] = [];
  for (let at = 0; at < text.length && pairs.length < most; ) {
    if (blank(text, at)) {
      at += 1;
      continue;
    }
    let equal = at;
    while (equal < text.length && !blank(text, equal) && text[equal] !== "=" && text[equal] !== '"') equal += 1;
    let end = equal;
    if (text[equal] === "=" && equal > at) {
      let begin = equal + 1;
      if (text[begin] === '"') {
        begin += 1;
        end = closingQuote(text, begin);
        if (end < 0) return pairs;
      } else {
        for (end = begin; end < text.length && !blank(text, end); ) end += 1;
      }
      pairs.push([text.slice(at, equal), text.slice(begin, end)]);
    }
    while (end < text.length && !blank(text, end)) end += 1;
    at = end;
  }
  return pairs;
}

/** The first pair of that name. */
export function pairOf(text: string, name: string): string | undefined {
  if (!text.includes(`${name}=`)) return undefined;
  return pairsOf(text, Infinity).find((pair) => pair[0] === name)?.[1];
}

export interface Amount {
  kind: "plain" | "time" | "bytes";
  number: number; // without its unit
  value: number; // microseconds or bytes
}
const units: Record<string, [Amount["kind"], number]> = {
  "": ["plain", 1],
  us: ["time", 1],
  ms: ["time", 1e3],
  s: ["time", 1e6],
  m: ["time", 60e6],
  h: ["time", 3600e6],
  B: ["bytes", 1],
  kB: ["bytes", 1024],
  KB: ["bytes", 1024],
  MB: ["bytes", 1024 ** 2],
  GB: ["bytes", 1024 ** 3],
};

export function amountOf(text: string): Amount | undefined {
  const [, digits, unit] = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([a-zA-Z]*)$/.exec(text.slice(0, 100)) ?? [];
  if (digits === undefined || !Object.hasOwn(units, unit!)) return undefined;
  const [kind, size] = units[unit!]!;
  const number = Number(digits);
  return Number.isFinite(number) ? { kind, number, value: number * size } : undefined;
}

/** What a table of a message's parts shows: of a JSON object its members, else its pairs. */
export function partsOf(message: string, most = 200): { kind: "json" | "pairs"; parts: [string, string][] } {
  const text = message.trim();
  if (text.startsWith("{") && text.endsWith("}") && text.length < 200_000)
    try {
      const members = Object.entries(JSON.parse(text) as Record<string, unknown>).slice(0, most);
      return { kind: "json", parts: members.map(([name, value]) => [name, jsonText(value)]) };
    } catch {
      // Then it is no JSON.
    }
  return { kind: "pairs", parts: pairsOf(message, most) };
}

function jsonText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value, null, 1).replace(/\n\s*/g, " ");
}
