// The rows in the document: at most kRows of the entries that show, changed by hand, since they change each frame.
import type { Entry } from "./buffer";
import { linesOf, marker } from "./marker";
import { retime, rowOf, type Look } from "./row";

const kRows = 1998; // and two markers
const kFollowed = 998; // while they change all the time: layout pays for each
const kStep = 500; // rows that come when one asks for earlier ones

interface Row {
  entry: Entry;
  item: HTMLLIElement;
}

/** Shows a window of what the filter wants. While `follow`, the window is at the end, and so is the pane. */
export class List {
  private rows: Row[] = [];
  private shown: Entry[] = [];
  private first = 0;
  private before = 0;
  private earlier = marker("earlier", () => this.shift(-kStep));
  private later = marker("later", () => this.shift(kStep));
  follow = true;
  /** A row is about to leave the document. */
  onLeave: (item: HTMLLIElement) => void = () => {};

  constructor(
    readonly pane: HTMLElement,
    private readonly items: HTMLElement,
    private look: Look,
  ) {
    items.classList.toggle("tail-wrap", look.wrap);
    items.replaceChildren(this.earlier.item, this.later.item);
  }

  get last(): number {
    return this.first + this.rows.length;
  }
  get entries(): readonly Entry[] {
    return this.shown;
  }
  get atTop(): boolean {
    return this.first === 0;
  }
  get atEnd(): boolean {
    return this.last === this.shown.length;
  }
  entryOf = (item: Element) => this.rows.find((row) => row.item === item)?.entry;

  /** `removed`: entries that showed and are let go; `added`: that show from now on; `before`: lines that are missing before the first. */
  change(removed: number, added: Entry[], before: number): void {
    const atEnd = this.atEnd;
    this.before = before;
    if (removed > 0) {
      this.shown.splice(0, removed);
      this.removeTop(Math.max(0, removed - this.first));
      this.first = Math.max(0, this.first - removed);
    }
    for (const entry of added) this.shown.push(entry);
    if (this.follow) this.toEnd();
    else if (atEnd && this.rows.length < kRows) this.append(this.shown.slice(this.last, this.first + kRows));
    this.tellRest();
  }

  /** All anew, around the row that is at the top now. */
  reset(shown: Entry[], before: number, look: Look): void {
    const anchor = this.follow ? undefined : this.anchor();
    this.shown = shown;
    this.before = before;
    this.look = look;
    this.items.classList.toggle("tail-wrap", look.wrap);
    this.removeTop(this.rows.length);
    if (this.follow) {
      this.first = Math.max(0, shown.length - kFollowed);
    } else {
      const near = anchor ? shown.findIndex((entry) => entry.key >= anchor.key) : 0;
      const place = near < 0 ? shown.length : near;
      this.first = Math.max(0, Math.min(place - kRows / 2, shown.length - kRows));
    }
    this.append(shown.slice(this.first, this.first + kRows));
    this.tellRest();
    if (this.follow) this.toBottom();
    else this.restore(anchor);
  }

  /** The newest rows, at the end of the pane. */
  toEnd(): void {
    const begin = Math.max(0, this.shown.length - (this.follow ? kFollowed : kRows));
    if (begin >= this.last) {
      this.removeTop(this.rows.length);
      this.first = begin;
    } else {
      this.removeTop(begin - this.first);
      this.first = Math.max(this.first, begin);
    }
    this.append(this.shown.slice(this.last));
    this.tellRest();
    this.toBottom();
  }

  /** The oldest rows that are kept. */
  toBegin(): void {
    if (this.first > 0) {
      this.removeTop(this.rows.length);
      this.first = 0;
      this.append(this.shown.slice(0, kRows));
      this.tellRest();
    }
    this.pane.scrollTop = 0;
  }

  /** Moves the window, while what is looked at stays where it is. */
  shift(by: number): void {
    const anchor = this.anchor();
    if (by < 0) {
      const first = Math.max(0, this.first + by);
      const fresh = this.made(this.shown.slice(first, this.first));
      this.earlier.item.after(...fresh.map((row) => row.item));
      this.rows.unshift(...fresh);
      this.first = first;
      for (const row of this.rows.splice(kRows)) this.leave(row);
    } else {
      this.append(this.shown.slice(this.last, this.last + by));
      const gone = Math.max(0, this.rows.length - kRows);
      this.removeTop(gone);
      this.first += gone;
    }
    this.tellRest();
    this.restore(anchor);
  }

  toBottom(): void {
    this.pane.scrollTop = this.pane.scrollHeight;
  }

  retime(): void {
    for (const { entry, item } of this.rows) retime(item, entry, this.look.time);
  }

  /** The row that the pane's upper edge cuts, and the ones beside it. */
  private rowAtTop(): number {
    let [low, high] = [0, this.rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const { item } = this.rows[middle]!;
      item.offsetTop + item.offsetHeight <= this.pane.scrollTop ? (low = middle + 1) : (high = middle);
    }
    return low;
  }
  beside(item: Element, by: number): HTMLLIElement | undefined {
    let at = this.rows.findIndex((row) => row.item === item);
    if (at < 0) return undefined;
    for (at += by; this.rows[at] && !this.rows[at]!.item.dataset.seq; ) at += by;
    return this.rows[at]?.item;
  }
  newestVisible(): HTMLLIElement | undefined {
    const bottom = this.pane.scrollTop + this.pane.clientHeight;
    for (let at = this.rows.length - 1; at >= 0; --at) {
      const { item } = this.rows[at]!;
      if (item.dataset.seq && item.offsetTop + item.offsetHeight <= bottom + 1) return item;
    }
    return undefined;
  }

  private anchor(): { key: number; offset: number } | undefined {
    const row = this.rows[this.rowAtTop()];
    return row && { key: row.entry.key, offset: row.item.offsetTop - this.pane.scrollTop };
  }
  private restore(anchor: { key: number; offset: number } | undefined): void {
    if (!anchor) return;
    const row = this.rows.find(({ entry }) => entry.key >= anchor.key) ?? this.rows[this.rows.length - 1];
    if (row) this.pane.scrollTop = row.item.offsetTop - anchor.offset;
  }

  private made = (entries: Entry[]): Row[] => entries.map((entry) => ({ entry, item: rowOf(entry, this.look) }));

  private append(entries: Entry[]): void {
    if (entries.length === 0) return;
    const fresh = this.made(entries);
    this.later.item.before(...fresh.map((row) => row.item));
    for (const row of fresh) this.rows.push(row);
  }
  private removeTop(count: number): void {
    for (const row of this.rows.splice(0, count)) this.leave(row);
  }
  private leave(row: Row): void {
    this.onLeave(row.item);
    row.item.remove();
  }
  private tellRest(): void {
    const earlier = linesOf(this.shown, 0, this.first);
    this.earlier.tell(this.before + earlier.all, earlier.here);
    const later = linesOf(this.shown, this.last, this.shown.length);
    this.later.tell(later.all, later.here);
  }
}
