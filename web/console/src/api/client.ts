// Requests to the router this page came from. Every one has a deadline; a failure is an ApiError.
import { learnTime } from "./clock";

export class ApiError extends Error {
  /** `status`: of the answer; 0: there was none. `error`: its text for people. */
  constructor(
    readonly status: number,
    message: string,
    readonly retryAfter?: number,
  ) {
    super(message);
  }
}

/** Told when an answer says that nobody is signed in any more. */
let signedOut = () => {};
export function onSignedOut(tell: () => void): void {
  signedOut = tell;
}

const deadline = 15_000; // milliseconds

/** The answer's JSON; undefined for one without a body. `signal` ends it early, without a failure to show. */
export async function request<T>(method: string, path: string, body?: unknown, signal?: AbortSignal, within = deadline): Promise<T> {
  const late = AbortSignal.timeout(within);
  const ended = new AbortController();
  const end = (why: unknown) => () => ended.abort(why);
  late.addEventListener("abort", end("late"), { once: true });
  signal?.addEventListener("abort", end("left"), { once: true });
  if (signal?.aborted) ended.abort("left");
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: ended.signal,
      credentials: "same-origin",
      cache: "no-store",
    });
    text = await response.text();
    learnTime(response.headers.get("Date"));
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, late.aborted ? "The router did not answer in time." : "The router cannot be reached.");
  }
  if (response.ok) return (text === "" ? undefined : JSON.parse(text)) as T;
  if (response.status === 401 && !path.startsWith("/v3/login")) signedOut();
  throw new ApiError(response.status, errorText(text) ?? `The router answered ${response.status}.`,
    Number(response.headers.get("Retry-After")) || undefined);
}

function errorText(body: string): string | undefined {
  try {
    const { error } = JSON.parse(body) as { error?: unknown };
    return typeof error === "string" ? error : undefined;
  } catch {
    return undefined;
  }
}

export const get = <T>(path: string, signal?: AbortSignal) => request<T>("GET", path, undefined, signal);
export const post = <T>(path: string, body: unknown = {}, signal?: AbortSignal) => request<T>("POST", path, body, signal);
export const remove = (path: string) => request<void>("DELETE", path);

/** A path of the API with its segments and query encoded: at`/v3/channels/${id}/drains`. */
export function at(parts: TemplateStringsArray, ...segments: (string | number)[]): string {
  return parts.reduce((path, part, i) => path + part + (i < segments.length ? encodeURIComponent(segments[i]!) : ""), "");
}

export function withQuery(path: string, query: Record<string, string | number | undefined | string[]>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    for (const one of Array.isArray(value) ? value : [value])
      if (one !== undefined && one !== "") search.append(name, String(one));
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}
