// Requests that stand for buckets of the response time: `# {request_id="…"} SECONDS TIME` in OpenMetrics.

export interface Exemplar {
  id: string;
  seconds: number;
  time: number; // seconds since the epoch
}

const line = /^tailrace_router_service_seconds_bucket\{.*\} \S+ # \{request_id="((?:[^"\\]|\\.)*)"\} (\S+)(?: (\S+))?$/;

/** The slowest first. */
export function exemplarsOf(text: string): Exemplar[] {
  const all = new Map<string, Exemplar>();
  for (const one of text.split("\n")) {
    const found = line.exec(one);
    if (!found) continue;
    const id = found[1]!.replace(/\\(.)/g, (_, c: string) => (c === "n" ? "\n" : c));
    const seconds = Number(found[2]);
    const time = Number(found[3]);
    if (Number.isFinite(seconds) && Number.isFinite(time)) all.set(id, { id, seconds, time });
  }
  return [...all.values()].sort((a, b) => b.seconds - a.seconds);
}

/** As an expression (RE2) that matches these characters alone. */
export const quoted = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
