// What the state of a drain means, in words, and what to do about it.
import type { Drain, DrainHealth, DrainState, DrainTest } from "../api/types";
import { duration, many } from "../ui/figures";

export interface Shown {
  drain: Drain;
  health?: DrainHealth; // none: not asked yet, or reserved
}

const phrases: Record<number, string> = {
  200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 301: "Moved Permanently", 302: "Found", 303: "See Other",
  307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
  404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout", 410: "Gone", 411: "Length Required",
  413: "Content Too Large", 415: "Unsupported Media Type", 422: "Unprocessable Content", 429: "Too Many Requests",
  500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
  507: "Insufficient Storage",
};

/** `503 Service Unavailable`; a status that nobody has a name for stands alone. */
export function statusText(status: number): string {
  const phrase = phrases[status];
  return phrase ? `${status} ${phrase}` : String(status);
}

/** What came of a try, without the step and the address: `connection refused`, `503 Service Unavailable`. */
export function outcomeText(cause: string): string {
  const answered = /^answered (\d{3})$/.exec(cause);
  if (answered) return statusText(Number(answered[1]));
  return cause.replace(/^(?:resolve|connect|tls|send): /, "").replace(/ \([^()]*:\d+\)$/, "");
}

/** The whole cause: an answer has its phrase, others keep the step and the address that they name. */
export const causeText = (cause: string) => (cause.startsWith("answered ") ? outcomeText(cause) : cause);

/** How the last try ended. */
export function lastStatus(health: DrainHealth): string {
  const { state, cause, last_status: status, last_error: error } = health;
  if (cause && (state === "failing" || (state === "paused" && !restsByOwner(health)))) return outcomeText(cause);
  if (status) return statusText(status);
  if (state === "ok" || health.delivered > 0) return "acknowledged by TCP";
  return error ? outcomeText(error) : "never tried yet";
}

export const restsByOwner = ({ state, cause }: Pick<DrainHealth, "state" | "cause">) => state === "paused" && cause === "by its owner";

/** `in 12 s`; of one that is not waited for, nothing. */
export function nextTry(health: DrainHealth, now: number): string {
  if (restsByOwner(health)) return "on resume";
  if (!health.next_try || health.state === "ok") return "";
  const left = Math.ceil((Date.parse(health.next_try) - now) / 1000);
  return left > 0 ? `in ${duration(left)}` : "now";
}

export function lagText(health: DrainHealth): string {
  return health.lag_records === 0 ? "none" : `${many(health.lag_records, "record")}, ${duration(Math.round(health.lag_seconds * 10) / 10)}`;
}

const kept = "Records wait, up to the channel's bounds.";
const resume = "Then resume.";
const refuses = "It refuses the records themselves; its own log should say why.";
const given = "Each that it refuses alone is dropped, and stands among the dead letters; the others go on.";
const advices: [beginning: string, advice: string, ofDrain: string][] = [
  ["by its owner", "", "Records wait, up to the channel's bounds. Resume it when it may go on."],
  ["answered 401", "Check the user and the password in the URL.", resume],
  ["answered 403", "Check what these credentials may do at the far end.", resume],
  ["answered 404", "Check the path in the URL.", resume],
  ["answered 410", "The far end says that it is gone for good.", "If that is not so, resume."],
  ["answered 429", "It takes less than comes.", kept],
  ["answered 3", "Redirects are not followed: use the URL that it points to.", ""],
  ["answered 400", refuses, given],
  ["answered 413", refuses, given],
  ["answered 422", refuses, given],
  ["answered 4", "The far end refuses the request; its own log should say why.", kept],
  ["answered 5", "The far end is there, and in trouble.", kept],
  ["address not allowed", "Drains may not reach this address; the router's TAILRACE_DRAIN_ALLOW makes exceptions.", ""],
  ["resolve: no such name", "Check the host in the URL.", ""],
  ["resolve", "The name servers do not answer (TAILRACE_DNS).", kept],
  ["tls", "Check the far end's certificate and the host name in the URL; an authority of your own takes tls_ca.", kept],
  ["bad answer", "What listens there does not speak HTTP: check scheme and port of the URL.", ""],
  ["no answer", "It takes connections and does not answer.", kept],
  ["", "See whether the far end is up.", kept],
];
const adviceFor = (cause: string) => advices.find(([beginning]) => cause.startsWith(beginning))!;

/** What its owner can do; nothing for one that works. */
export function advice(state: DrainState, cause: string | null): string {
  if (state !== "failing" && state !== "paused") return "";
  const [, general, ofDrain] = adviceFor(cause ?? "");
  return `${general} ${ofDrain}`.trim();
}

/** What to do about a test that failed. */
export function testAdvice(test: DrainTest): string {
  const last = test.steps.at(-1);
  if (test.ok || !last) return "";
  const step = { resolve: "resolve: ", handshake: "tls: ", connect: "", send: "" }[last.step] ?? "";
  return adviceFor(last.outcome.startsWith("address not") ? last.outcome : step + last.outcome)[1];
}

export interface Reason {
  means: string;
  cure: string;
}
const reasons: Record<string, Reason> = {
  overflow: { means: "The far end was down or slow for longer than the channel keeps records for it.",
    cure: "Mend the far end, or give the channel more: TAILRACE_CHANNEL_BYTES. A filter makes less of it." },
  memory: { means: "The process was over TAILRACE_MEMORY_BYTES; the biggest channels lose first.", cure: "A data dir, or more memory." },
  disk: { means: "The data dir was over TAILRACE_DISK_BYTES; the channel with the most loses first.", cure: "TAILRACE_DISK_BYTES." },
  age: { means: "Records grew older than TAILRACE_CHANNEL_AGE while they waited.", cure: "Mend the far end." },
  refused: { means: "The far end refused these records one by one (400, 413 or 422).", cure: "The dead letters show which, and what it said." },
  damaged: { means: "The disk did not give the records back.", cure: "tailrace inspect says what is damaged." },
};
export const reasonOf = (name: string): Reason | undefined => (Object.hasOwn(reasons, name) ? reasons[name] : undefined);

/** `14 overflow, 3 refused`, the most first */
export function droppedText(dropped: Record<string, number>): string {
  const told = Object.entries(dropped).filter(([, n]) => n > 0).sort(([, a], [, b]) => b - a);
  return told.length === 0 ? "none" : told.map(([reason, n]) => `${n.toLocaleString("en-US")} ${reason}`).join(", ");
}

/** Worst first: what fails longest, what its far end paused, what lags, and so on; stable while nothing changes state. */
export function worstFirst(all: Shown[]): Shown[] {
  const rank = ({ drain, health }: Shown) => {
    const state = health?.state ?? drain.state;
    if (!state) return 6; // reserved
    if (state === "failing") return 0;
    if (state === "paused") return drain.paused ? 3 : 1;
    if (state === "ok" && health && health.lag_seconds >= 30) return 2;
    return state === "pending" ? 4 : 5;
  };
  const since = ({ drain }: Shown) => (drain.state === "failing" || drain.state === "paused" ? Date.parse(drain.since ?? "") || 0 : 0);
  return [...all].sort((a, b) => rank(a) - rank(b) || since(a) - since(b) || a.drain.id - b.drain.id);
}

/** `4 drains: 1 failing, 3 ok` */
export function summary(all: Shown[]): string {
  const states = all.map(({ drain, health }) => health?.state ?? drain.state ?? "reserved");
  const told = ["failing", "paused", "pending", "ok", "reserved"].map((state) => [state, states.filter((s) => s === state).length] as const);
  return `${many(all.length, "drain")}: ${told.filter(([, n]) => n > 0).map(([state, n]) => `${n} ${state}`).join(", ")}`;
}
