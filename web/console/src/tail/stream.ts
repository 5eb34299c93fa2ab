// One tail of the router's: a session, the event stream of it, and what happens when either ends (docs/tails.md).
import { ApiError, post } from "../api/client";
import type { Line } from "./buffer";

export type Ask = Record<string, unknown>;
export type StreamState =
  | { is: "connecting" | "live" | "stopped" }
  | { is: "reconnecting"; why?: string }
  | { is: "ended"; why: "forbidden" | "gone" | "no_tail" }
  | { is: "refused"; why: string }; // what was asked for is wrong

export interface StreamTells {
  state: (state: StreamState) => void;
  line: (object: Partial<Line>) => void;
  /** Where sources send to, as the session's URL has it. */
  origin: (origin: string) => void;
}

const mostWait = 15_000; // milliseconds

/** The path of a session's URL, which may be another listener's: that path is served here too. */
export function sessionPath(url: string): string {
  const { pathname } = new URL(url);
  return pathname.slice(Math.max(0, pathname.lastIndexOf("/sessions/")));
}

/** One thing is under way at a time: a session that is asked for, a stream that is read, or a wait for the next try. */
export class Stream {
  private source: EventSource | null = null;
  private left = new AbortController();
  private path = ""; // of the session
  private last = ""; // number that this page was brought to
  private failures = 0; // since something came
  private timer = 0;
  private asking = false;
  private turn = 0; // what an earlier one still brings is nobody's
  private over = false;

  constructor(
    private readonly ask: Ask,
    private readonly tell: StreamTells,
  ) {
    void this.begin();
  }

  /** For good. */
  close(): void {
    this.over = true;
    this.left.abort();
    this.drop();
  }

  /** Reads no more until resume(). `last`: the number of the last line that was taken. */
  stop(last = this.last): void {
    if (this.over || !this.busy()) return;
    this.last = last;
    this.drop();
    this.tell.state({ is: "stopped" });
  }

  resume(): void {
    if (this.over || this.busy()) return;
    this.path ? this.read() : void this.begin();
  }

  private busy(): boolean {
    return this.source !== null || this.timer !== 0 || this.asking;
  }

  private drop(): void {
    this.turn += 1;
    this.asking = false;
    window.clearTimeout(this.timer);
    this.timer = 0;
    this.source?.close();
    this.source = null;
  }

  private end(state: StreamState): void {
    this.over = true;
    this.drop();
    this.tell.state(state);
  }

  private async begin(): Promise<void> {
    this.drop();
    const turn = this.turn;
    this.asking = true;
    const ask = this.last ? { ...this.ask, num: undefined, since: undefined, after: Number(this.last) } : this.ask;
    try {
      const { url } = await post<{ url: string }>("/v2/sessions", ask, this.left.signal);
      if (turn !== this.turn) return;
      this.asking = false;
      this.path = sessionPath(url);
      this.tell.origin(new URL(url).origin);
      this.read();
    } catch (error) {
      if (turn !== this.turn) return;
      this.asking = false;
      this.refused(error instanceof ApiError ? error : new ApiError(0, String(error)));
    }
  }

  private refused(error: ApiError): void {
    if (error.status === 404) return this.end({ is: "ended", why: "gone" });
    if (error.status === 403) return this.end({ is: "ended", why: "forbidden" });
    if (error.status === 400 || error.status === 422) return this.end({ is: "refused", why: error.message });
    this.failures += 1;
    this.tell.state({ is: "reconnecting", why: error.message });
    const wait = Math.min(mostWait, 500 * 2 ** Math.min(this.failures, 6));
    this.timer = window.setTimeout(() => void this.begin(), error.retryAfter ? error.retryAfter * 1000 : wait);
  }

  private read(): void {
    const source = new EventSource(this.last ? `${this.path}?after=${encodeURIComponent(this.last)}` : this.path);
    this.source = source;
    source.onopen = () => source === this.source && this.tell.state({ is: "live" });
    source.onmessage = (event: MessageEvent<string>) => source === this.source && this.take(event);
    source.onerror = () => {
      if (source !== this.source) return;
      this.failures += 1;
      this.tell.state({ is: "reconnecting" });
      // The browser tries again by itself, with Last-Event-ID; not if the session is gone, and one that ends at once
      // again and again may be of a channel that is gone.
      if (source.readyState !== EventSource.CLOSED && this.failures < 3) return;
      this.drop();
      this.path = "";
      this.timer = window.setTimeout(() => void this.begin(), Math.min(mostWait, 250 * 2 ** Math.min(this.failures, 6)));
    };
  }

  private take(event: MessageEvent<string>): void {
    this.failures = 0;
    this.last = event.lastEventId || this.last;
    let object: Partial<Line>;
    try {
      object = JSON.parse(event.data) as Partial<Line>;
    } catch {
      return;
    }
    this.tell.line(object);
    const own = typeof object.seq !== "number" && object.app === "tailrace" && object.procid === "tail";
    if (own && object.message?.startsWith("Error L20 ")) this.end({ is: "ended", why: "no_tail" });
  }
}
