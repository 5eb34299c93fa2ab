// What runs while a tail is looked at: the stream fills the buffer, and once in a frame the list shows what came.
import { Buffer, type Counts, type Line } from "./buffer";
import { List } from "./list";
import type { Look } from "./row";
import { Seen } from "./seen";
import { Stream, type Ask, type StreamState } from "./stream";
import { needlesOf, wants, type Terms } from "./terms";

export const bounds = { lines: 10_000, waiting: 8_000, characters: 16 << 20 };
const pace = 40; // milliseconds between two changes of the list at least
// Milliseconds that a page may be in the background before it reads no more: a browser has six connections to a router, for all
// of its tabs.
const hiddenFor = 5_000;

export interface Shown {
  stream: StreamState;
  paused: boolean;
  reading: boolean; // of the past, oldest first, until Resume
  counts: Counts;
  lastTime: string; // of the newest line that came
  lastSeq: string;
  origin: string;
}

export interface Options {
  ask: Ask;
  past: boolean; // begin with the oldest, paused
  look: Omit<Look, "needles">;
  typed: Terms; // what the page hides by
  asked: Terms; // what the router was asked for, to be marked
  seen: Seen;
  tell: (shown: Shown) => void;
}

export class Controller {
  readonly buffer = new Buffer(bounds);
  readonly list: List;
  private stream: Stream;
  private incoming: Partial<Line>[] = [];
  private frame = 0;
  private pacing = 0; // the timer until the next change
  private flushed = 0; // when, by performance.now()
  private told = 0; // the timer of tell
  private away = 0; // the timer of a hidden page
  private state: StreamState = { is: "connecting" };
  private lastTime = "";
  private lastSeq = "";
  private origin = "";
  private reading: boolean;
  private closed = false;

  constructor(
    pane: HTMLElement,
    items: HTMLElement,
    private options: Options,
  ) {
    this.reading = options.past;
    this.list = new List(pane, items, this.look());
    this.list.follow = !this.reading;
    this.buffer.setFilter((line) => wants(this.options.typed, line));
    this.stream = new Stream(options.ask, {
      state: (state) => this.turn(state),
      line: (object) => this.take(object),
      origin: (origin) => (this.origin = origin),
    });
    document.addEventListener("visibilitychange", this.visibility);
    this.tell();
  }

  close(): void {
    this.closed = true;
    this.stream.close();
    document.removeEventListener("visibilitychange", this.visibility);
    window.clearTimeout(this.told);
    window.clearTimeout(this.away);
    window.clearTimeout(this.pacing);
    cancelAnimationFrame(this.frame);
  }

  get paused(): boolean {
    return this.buffer.paused || this.reading;
  }

  pause(): void {
    if (this.paused || this.state.is === "ended" || this.state.is === "refused") return;
    this.flush();
    this.buffer.paused = true;
    this.list.follow = false;
    this.tell(true);
  }

  resume(): void {
    if (!this.paused) return;
    this.flush();
    this.reading = false;
    this.list.follow = true;
    this.apply(this.buffer.resume());
    this.list.toEnd();
    this.stream.resume();
    this.tell(true);
  }

  /** Other terms, or another look; the stream goes on. */
  change(options: Pick<Options, "look" | "typed" | "asked">): void {
    this.options = { ...this.options, ...options };
    this.buffer.setFilter((line) => wants(this.options.typed, line));
    this.list.reset(this.buffer.entries.filter(this.buffer.isShown), this.buffer.before, this.look());
    this.tell(true);
  }

  private look(): Look {
    const { look, typed, asked } = this.options;
    return { ...look, needles: needlesOf([...typed, ...asked]) };
  }

  private take(object: Partial<Line>): void {
    this.incoming.push(object);
    // A page in the background has no frames; what came waits there, up to a bound.
    if (this.incoming.length >= 1000) this.flush();
    else if (!this.frame && !this.pacing) this.schedule();
  }

  /** In the next frame, but not in each: nobody reads sixty times a second, and the rest of the page needs its time. */
  private schedule(): void {
    const frame = () => {
      this.pacing = 0;
      this.frame = requestAnimationFrame(() => this.flush());
    };
    const wait = this.flushed + pace - performance.now();
    if (wait > 0) this.pacing = window.setTimeout(frame, wait);
    else frame();
  }

  private flush(): void {
    cancelAnimationFrame(this.frame);
    window.clearTimeout(this.pacing);
    this.frame = this.pacing = 0;
    this.flushed = performance.now();
    let came = this.incoming;
    if (came.length === 0) return;
    this.incoming = [];
    if (this.reading) came = this.whatFits(came);
    for (const { time, seq, app, procid } of came) {
      if (seq === undefined) continue;
      this.lastTime = time ?? "";
      this.lastSeq = String(seq);
      this.options.seen.add(app ?? "", procid ?? "");
    }
    this.apply(this.buffer.add(came));
    this.tell();
  }

  /** Of the past as much is read as the page holds; the rest when it is asked for. */
  private whatFits(came: Partial<Line>[]): Partial<Line>[] {
    const room = this.buffer.full ? 0 : bounds.lines - this.buffer.entries.length;
    if (came.length < room) return came;
    const fits = came.slice(0, room);
    const last = [...fits].reverse().find((object) => object.seq !== undefined)?.seq;
    this.stream.stop(last === undefined ? this.lastSeq : String(last));
    return fits;
  }

  private apply({ removed, added }: ReturnType<Buffer["add"]>): void {
    const { isShown, before } = this.buffer;
    if (removed.length > 0 || added.length > 0)
      this.list.change(removed.filter(isShown).length, added.filter(isShown), before);
  }

  private turn(state: StreamState): void {
    if (this.closed) return;
    if (state.is === "ended") {
      this.flush();
      if (this.buffer.paused) this.apply(this.buffer.resume());
    }
    this.state = state;
    this.tell(true);
  }

  private visibility = (): void => {
    window.clearTimeout(this.away);
    if (document.hidden) this.away = window.setTimeout(() => (this.flush(), this.stream.stop()), hiddenFor);
    else if (!(this.reading && this.buffer.full)) this.stream.resume();
  };

  /** Soon: four times a second at most, or at once. */
  private tell(now = false): void {
    if (now) {
      window.clearTimeout(this.told);
      this.told = 0;
      this.say();
    } else {
      this.told ||= window.setTimeout(() => ((this.told = 0), this.say()), 250);
    }
  }
  private say(): void {
    const { buffer, state, lastTime, lastSeq, origin, reading, paused } = this;
    this.options.tell({ stream: state, paused, reading, counts: { ...buffer.counts }, lastTime, lastSeq, origin });
  }
}
