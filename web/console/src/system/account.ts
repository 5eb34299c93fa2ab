// What follows from the figures of GET /v3/system.
import type { System } from "../api/types";

type Ledger = System["ledger"];

const sum = (parts: Record<string, number>) => Object.values(parts).reduce((all, one) => all + one, 0);

export interface Term {
  name: string;
  records: number;
}

/** The right side of `accepted = delivered + filtered + dropped + buffered`, and by how much the left one is greater. */
export function account(ledger: Ledger): { terms: Term[]; missing: number } {
  const terms = [
    { name: "delivered", records: ledger.delivered },
    { name: "filtered", records: ledger.filtered },
    { name: "dropped", records: sum(ledger.dropped) },
    { name: "buffered", records: ledger.buffered },
  ];
  return { terms, missing: ledger.accepted - terms.reduce((all, { records }) => all + records, 0) };
}

/** By how many, the most first; without those that never were. */
export function byReason(reasons: Record<string, number>): Term[] {
  return Object.entries(reasons)
    .filter(([, records]) => records > 0)
    .map(([name, records]) => ({ name, records }))
    .sort((a, b) => b.records - a.records || (a.name < b.name ? -1 : 1));
}

/** Records per second and protocol between two answers; none where the router began anew. */
export function rates(before: System | undefined, now: System): Record<string, number> {
  const rate: Record<string, number> = Object.create(null);
  if (!before || before.started_at !== now.started_at) return rate;
  const seconds = (Date.parse(now.now) - Date.parse(before.now)) / 1000;
  if (!(seconds > 0)) return rate;
  for (const { protocol, accepted } of now.ingest) {
    const was = before.ingest.find((one) => one.protocol === protocol);
    if (was && accepted >= was.accepted) rate[protocol] = (accepted - was.accepted) / seconds;
  }
  return rate;
}

/** What is scarce, in words, for the head of the page. */
export function scarce(system: System, from = 0.8): string[] {
  const budgets: [string, number, number | null][] = [
    ["resident memory", system.memory.resident, system.memory.bound],
    ...system.memory.parts.map(({ name, used, bound }): [string, number, number | null] => [`memory for ${name}`, used, bound]),
    ["the table of open files", system.open_files.used, system.open_files.bound],
  ];
  if (system.disk) budgets.push(["the disk budget", system.disk.used, system.disk.bound]);
  const over = budgets.filter(([, used, bound]) => bound !== null && bound > 0 && used / bound >= from);
  const busy = system.threads.filter(({ cpu_share }) => (cpu_share ?? 0) >= from);
  return [
    ...over.map(([name, used, bound]) => `${name} is ${Math.floor((used / bound!) * 100)} % full`),
    ...busy.map(({ name, cpu_share }) => `thread ${name} is busy ${Math.floor(cpu_share! * 100)} % of the time`),
  ];
}
