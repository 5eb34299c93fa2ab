import { describe, expect, it } from "vitest";
import { Buffer, type Counts, type Line } from "./buffer";

const record = (seq: number, message = `line ${seq}`): Partial<Line> => ({ seq, time: `T${seq}`, app: "app", procid: "web.1", severity: "info", message });
const records = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => record(from + i));
const l11 = (count: number): Partial<Line> => ({
  time: "T", app: "tailrace", procid: "tail", message: `Error L11 (Tail buffer overflow): ${count} records skipped since 2026-11-21T10:00:00.000000+00:00.`,
}); // prettier-ignore
const sum = ({ shown, hidden, waiting, older, skipped }: Counts) => shown + hidden + waiting + older + skipped;
const seqs = (buffer: Buffer) => buffer.entries.map((entry) => (entry.kind === "line" ? entry.seq : `${entry.kind} ${"count" in entry ? entry.count : ""}`));

describe("Buffer", () => {
  const bounds = { lines: 10, waiting: 8, characters: 1000 };

  it("keeps the newest, and counts the rest", () => {
    const buffer = new Buffer(bounds);
    expect(buffer.add(records(1, 8)).removed).toEqual([]);
    const { removed, added } = buffer.add(records(9, 14));
    expect(removed.map((entry) => (entry as Line).seq)).toEqual([1, 2, 3, 4]);
    expect(added).toHaveLength(6);
    expect(buffer.counts).toMatchObject({ received: 14, shown: 10, older: 4, skipped: 0 });
  });

  it("does not touch the list while it is paused", () => {
    const buffer = new Buffer(bounds);
    buffer.add(records(1, 10));
    buffer.paused = true;
    expect(buffer.add(records(11, 25))).toEqual({ removed: [], added: [] });
    expect(seqs(buffer)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(buffer.counts).toMatchObject({ received: 25, shown: 10, waiting: 8, skipped: 7 });
    expect(sum(buffer.counts)).toBe(25);
  });

  it("marks in place what could not wait", () => {
    const buffer = new Buffer({ lines: 40, waiting: 30, characters: 1e6 });
    buffer.add(records(1, 2));
    buffer.paused = true;
    buffer.add(records(3, 40));
    const { added } = buffer.resume();
    expect(added[0]).toMatchObject({ kind: "gap", by: "page", count: 8, since: "T3" });
    expect(added).toHaveLength(31);
    expect(sum(buffer.counts)).toBe(40);
    const keys = buffer.entries.map((entry) => entry.key);
    expect(keys).toEqual([...keys].sort((a, b) => a - b));
  });

  it("takes the router's L11 for a gap, and nobody else's", () => {
    const buffer = new Buffer(bounds);
    buffer.add([record(1), l11(39), record(41), { ...l11(7), seq: 42 }]);
    expect(seqs(buffer)).toEqual([1, "gap 39", 41, 42]);
    expect(buffer.entries[1]).toMatchObject({ by: "router", since: "2026-11-21T10:00:00.000000+00:00" });
    expect(buffer.counts).toMatchObject({ received: 3, skipped: 39 });
    expect(sum(buffer.counts)).toBe(42);
  });

  it("keeps the count of a gap that could not wait", () => {
    const buffer = new Buffer({ lines: 4, waiting: 3, characters: 1e6 });
    buffer.paused = true;
    buffer.add([l11(5), ...records(6, 9)]);
    expect(buffer.resume().added[0]).toMatchObject({ kind: "gap", count: 6 });
    expect(sum(buffer.counts)).toBe(9);
    expect(buffer.before).toBe(0);
    buffer.add(records(10, 11));
    expect(buffer.before).toBe(7); // the gap, and a line
    expect(sum(buffer.counts)).toBe(11);
  });

  it("counts by the filter, also of what goes", () => {
    const buffer = new Buffer(bounds);
    buffer.add(records(1, 10));
    buffer.setFilter((line) => line.seq % 2 === 0);
    expect(buffer.counts).toMatchObject({ shown: 5, hidden: 5 });
    buffer.add(records(11, 13));
    expect(buffer.counts).toMatchObject({ shown: 5, hidden: 5, older: 3 });
    expect(sum(buffer.counts)).toBe(13);
    buffer.setFilter(() => true);
    expect(buffer.counts).toMatchObject({ shown: 10, hidden: 0 });
  });

  it("is bounded in characters too", () => {
    const buffer = new Buffer(bounds);
    buffer.add([record(1, "x".repeat(600)), record(2, "x".repeat(600))]);
    expect(seqs(buffer)).toEqual([2]);
    buffer.add([record(3, "x".repeat(5000))]);
    expect(seqs(buffer)).toEqual([3]);
    expect(buffer.full).toBe(true);
  });

  it("shows notices, and counts them nowhere", () => {
    const buffer = new Buffer(bounds);
    buffer.setFilter(() => false);
    buffer.add([{ time: "T", app: "heroku", procid: "logplex", message: "drain 'd.1' recovered" }]);
    expect(buffer.entries.filter(buffer.isShown)).toHaveLength(1);
    expect(sum(buffer.counts)).toBe(0);
  });

  it("survives objects that are none", () => {
    const buffer = new Buffer(bounds);
    buffer.add([{ seq: 1, message: 5 as never, app: null as never }, {}]);
    expect(seqs(buffer)).toEqual([1, "notice "]);
  });
});
