import { describe, expect, it } from "vitest";
import type { System } from "../api/types";
import { account, byReason, rates, scarce } from "./account";

const system: System = {
  version: "0.1.0",
  commit: "5a50529",
  started_at: "2026-11-21T09:12:00.000Z",
  now: "2026-11-21T10:00:00.000Z",
  ready: { ok: true, reasons: [] },
  api_state: "normal",
  threads: [
    { name: "loop 0", cpu_seconds: 12.5, cpu_share: 0.21 },
    { name: "blocking 0", cpu_seconds: 0, cpu_share: null },
  ],
  connections: { public: 3 },
  open_files: { used: 41, bound: 1024 },
  memory: { resident: 80, bound: 200, parts: [{ name: "channels", used: 10, bound: 100 }, { name: "other", used: 1e9, bound: null }] },
  disk: null,
  ledger: { accepted: 100, delivered: 90, filtered: 0, dropped: { overflow: 1 }, buffered: 9, balanced: true },
  ingest: [{ protocol: "tcp", accepted: 100, bytes: 28900, rejected: {} }],
  tails: { open: 0, skipped: 0 },
};

describe("account", () => {
  it("adds up", () => {
    expect(account(system.ledger).missing).toBe(0);
    expect(account(system.ledger).terms.map(({ records }) => records)).toEqual([90, 0, 1, 9]);
  });
  it("says by how much it does not", () => {
    expect(account({ ...system.ledger, accepted: 103 }).missing).toBe(3);
    expect(account({ ...system.ledger, dropped: { overflow: 1, memory: 4 } }).missing).toBe(-4);
  });
});

it("lists reasons that there were, the most first", () =>
  expect(byReason({ overflow: 1, memory: 0, no_room: 7 })).toEqual([
    { name: "no_room", records: 7 },
    { name: "overflow", records: 1 },
  ]));

describe("rates", () => {
  const later = (accepted: number): System => ({ ...system, now: "2026-11-21T10:00:02.000Z", ingest: [{ ...system.ingest[0]!, accepted }] });
  it("are the difference by time", () => expect(rates(system, later(700))).toEqual({ tcp: 300 }));
  it("are none at first, after a restart, and of nothing", () => {
    expect(rates(undefined, system)).toEqual({});
    expect(rates({ ...system, started_at: "2026-11-20T00:00:00.000Z" }, later(700))).toEqual({});
    expect(rates(system, system)).toEqual({});
    expect(rates({ ...system, ingest: [] }, later(700))).toEqual({});
  });
});

it("says what is scarce, and nothing of what has no bound", () => {
  expect(scarce(system)).toEqual([]);
  const full: System = {
    ...system,
    open_files: { used: 1000, bound: 1024 },
    disk: { directory: "/d", used: 81, bound: 100, free: 5, segments: 1 },
    threads: [{ name: "loop 0", cpu_seconds: 1, cpu_share: 0.97 }],
  };
  expect(scarce(full)).toEqual(["the table of open files is 97 % full", "the disk budget is 81 % full", "thread loop 0 is busy 97 % of the time"]);
});
