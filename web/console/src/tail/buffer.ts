// The lines that this page holds, bounded, with a marker wherever lines are missing.

/** A record, as the router gave it. `key`: its place in the page's own order. */
export interface Line {
  kind: "line";
  key: number;
  seq: number;
  time: string;
  app: string;
  procid: string;
  msgid?: string | null;
  host: string;
  severity: string;
  facility: string;
  message: string;
}
/** Said by the router itself; counts nowhere. */
export interface Notice extends Omit<Line, "kind" | "seq"> {
  kind: "notice";
}
/** Here lines are missing: the router had no more of them (L11), or this page let them go while it was paused. */
export interface Gap {
  kind: "gap";
  key: number;
  by: "router" | "page";
  count: number;
  since: string;
  message: string;
}
export type Entry = Line | Notice | Gap;

/** sent = shown + hidden + waiting + older + skipped, at every moment. */
export interface Counts {
  received: number; // lines that came to this page
  shown: number; // of those held, what the filter wants
  hidden: number; // of those held, what it does not want
  waiting: number; // came while paused, not in the list yet
  older: number; // were in the list, let go at its beginning
  skipped: number; // never came, or let go while paused: what gaps say
}

export interface Bounds {
  lines: number; // in the list
  waiting: number; // while paused; fewer, so that the marker before them has room too
  characters: number; // of the messages of each
}

/** What add() and resume() did to the list: `removed` went at its beginning, and `added` came to its end. */
export interface Change {
  removed: Entry[];
  added: Entry[];
}

/** A queue of entries with bounds; its oldest go. */
class Queue {
  entries: Entry[] = [];
  characters = 0;

  push(entry: Entry): void {
    this.entries.push(entry);
    this.characters += entry.message.length;
  }
  /** Takes the oldest ones out, until the bounds hold. */
  trim(lines: number, characters: number): Entry[] {
    let gone = 0;
    while (gone < this.entries.length - 1 && (this.entries.length - gone > lines || this.characters > characters))
      this.characters -= this.entries[gone++]!.message.length;
    return gone > 0 ? this.entries.splice(0, gone) : [];
  }
  clear(): Entry[] {
    this.characters = 0;
    return this.entries.splice(0);
  }
}

const l11 = /^Error L11 \(Tail buffer overflow\): (\d+) records skipped since (\S+)\.$/;

export class Buffer {
  private list = new Queue();
  private waiting = new Queue();
  private letGo: Gap | null = null; // before what waits
  private wanted: (line: Line) => boolean = () => true;
  private nextKey = 1;
  readonly counts: Counts = { received: 0, shown: 0, hidden: 0, waiting: 0, older: 0, skipped: 0 };
  paused = false;
  /** Lines that are missing before the first entry: older ones, and those of gaps that went with them. */
  before = 0;

  constructor(readonly bounds: Bounds) {}

  /** Everything that is not waiting, oldest first, hidden lines too. */
  get entries(): readonly Entry[] {
    return this.list.entries;
  }
  isShown = (entry: Entry) => entry.kind !== "line" || this.wanted(entry);
  get full(): boolean {
    return this.list.entries.length >= this.bounds.lines || this.list.characters >= this.bounds.characters;
  }

  setFilter(wanted: (line: Line) => boolean): void {
    this.wanted = wanted;
    this.counts.shown = this.counts.hidden = 0;
    for (const entry of this.list.entries) this.count(entry, 1);
  }

  /** What came, in order: an object of the router's each. */
  add(objects: Partial<Line>[]): Change {
    const added: Entry[] = [];
    for (const object of objects) {
      const entry = this.entryOf(object);
      if (entry.kind === "line") this.counts.received += 1;
      if (entry.kind === "gap") this.counts.skipped += entry.count;
      if (!this.paused) {
        this.take(entry);
        added.push(entry);
        continue;
      }
      this.waiting.push(entry);
      if (entry.kind === "line") this.counts.waiting += 1;
    }
    if (this.paused) this.letWaitingGo();
    return this.trimmed(added);
  }

  /** What waited comes into the list, behind a marker for what could not wait. */
  resume(): Change {
    this.paused = false;
    const added = this.waiting.clear();
    if (this.letGo) added.unshift(this.letGo);
    this.letGo = null;
    this.counts.waiting = 0;
    for (const entry of added) this.take(entry);
    return this.trimmed(added);
  }

  private entryOf(object: Partial<Line>): Entry {
    const text = (value: unknown) => (typeof value === "string" ? value : "");
    const key = this.nextKey++;
    const message = text(object.message);
    const rest = { key, time: text(object.time), app: text(object.app), procid: text(object.procid), msgid: text(object.msgid),
      host: text(object.host), severity: text(object.severity), facility: text(object.facility), message };
    if (typeof object.seq === "number") return { kind: "line", seq: object.seq, ...rest };
    const [, count, since] = l11.exec(message) ?? [];
    return count === undefined ? { kind: "notice", ...rest } : { kind: "gap", key, by: "router", count: Number(count), since: since!, message };
  }

  private take(entry: Entry): void {
    this.list.push(entry);
    this.count(entry, 1);
  }

  private count(entry: Entry, by: number): void {
    if (entry.kind === "line") this.counts[this.wanted(entry) ? "shown" : "hidden"] += by;
  }

  private trimmed(added: Entry[]): Change {
    const gone = this.list.trim(this.bounds.lines, this.bounds.characters);
    for (const entry of gone) {
      this.count(entry, -1);
      if (entry.kind === "line") this.counts.older += 1;
      this.before += entry.kind === "line" ? 1 : entry.kind === "gap" ? entry.count : 0;
    }
    return { removed: gone, added };
  }

  /** Of a gap that goes too, its count stays in the marker. */
  private letWaitingGo(): void {
    const gone = this.waiting.trim(this.bounds.waiting, this.bounds.characters);
    if (gone.length === 0) return;
    const gap = (this.letGo ??= { kind: "gap", key: gone[0]!.key, by: "page", count: 0, since: "", message: "" });
    for (const entry of gone) {
      if (gap.since === "") gap.since = entry.kind === "gap" ? entry.since : entry.time;
      if (entry.kind === "line") {
        gap.count += 1;
        this.counts.waiting -= 1;
        this.counts.skipped += 1;
      } else if (entry.kind === "gap") {
        gap.count += entry.count;
      }
    }
  }
}
