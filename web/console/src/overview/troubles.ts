// A channel's troubles in sentences.
import type { Dropped, OverviewRow, Trouble } from "../api/types";
import { linkTo } from "../route";
import type { Tone } from "../ui/badge";
import { count, duration, exact, lasting, many, share } from "../ui/figures";

/** `whole`: on one line. */
export type Part = string | { whole: string } | { time: string } | { link: string };

/** One sentence. Its link's text has neither figures nor names in it, so that no channel's name is part of it. */
export interface Told {
  trouble: Trouble;
  tone: Tone;
  parts: Part[];
  href: string;
}

export const lost = (dropped: Dropped) => Object.values(dropped).reduce((sum, records) => sum + records, 0);

/** `overflow`, or `overflow 14, memory 3`; the most first. */
export function reasons(dropped: Dropped): string {
  const some = Object.entries(dropped)
    .filter(([, records]) => records > 0)
    .sort(([, a], [, b]) => b - a);
  return some.length === 1 ? some[0]![0] : some.map(([reason, records]) => `${reason} ${exact(records)}`).join(", ");
}

function since(time: string | null, now: number): Part[] {
  if (!time) return [];
  return [" since ", { time }, " ", { whole: `(${lasting((now - Date.parse(time)) / 1000)})` }];
}

/** `now`: of the answer, in milliseconds since the epoch. */
function sentence(row: OverviewRow, trouble: Trouble, now: number): Part[] {
  const { failing, paused } = row.drains;
  switch (trouble) {
    case "losing": {
      const why = reasons(row.dropped);
      const last: Part[] = row.lost_at ? [", last ", { time: row.lost_at }] : [];
      const gone = lost(row.dropped);
      return [`${exact(gone)} `, { link: gone === 1 ? "record lost" : "records lost" }, why ? ` (${why})` : "", ...last];
    }
    case "failing":
      if (failing > 0) return [`${many(failing, "drain")} `, { link: "failing" }, ...since(row.failing_since, now)];
      return paused === 1 // of several, some may be paused by their owner
        ? ["1 drain ", { link: "paused by its far end" }, ...since(row.failing_since, now)]
        : ["drains ", { link: "paused by their far end" }, ...since(row.failing_since, now)];
    case "errors":
      return [`${share(row.error_share)} of `, { link: "requests failed" }, ...since(row.errors_since, now)];
    case "slow": {
      const worst = row.slow_dynos.flatMap(({ dyno, p95 }, i): Part[] => [i ? ", " : ", worst ", { whole: `${dyno} ${duration(p95)}` }]);
      return [{ whole: `p95 ${duration(row.p95)},` }, " ", { link: "slow" }, ...since(row.slow_since, now), ...worst];
    }
    case "lagging":
      return [`${duration(row.lag_seconds)} `, { link: "behind" }, `, ${count(row.lag_records)} records waiting`];
  }
}

/** The charts, at the moment where it began. */
function metricsOf(channel: string, since: string | null): string {
  return linkTo({ page: "channel", channel, tab: "metrics" }, { at: since ?? "" });
}

function hrefOf(row: OverviewRow, trouble: Trouble): string {
  if (trouble === "slow") return metricsOf(row.channel, row.slow_since);
  if (trouble === "errors") return metricsOf(row.channel, row.errors_since);
  return linkTo({ page: "channel", channel: row.channel, tab: "drains" });
}

const tones: Record<Trouble, Tone> = { losing: "bad", failing: "bad", errors: "bad", slow: "warn", lagging: "warn" };

export function told(row: OverviewRow, now: number): Told[] {
  return row.troubles
    .filter((trouble) => Object.hasOwn(tones, trouble))
    .map((trouble) => ({
      trouble,
      tone: tones[trouble],
      parts: sentence(row, trouble, now).filter((part) => part !== ""),
      href: hrefOf(row, trouble),
    }));
}

const words: Record<Trouble, string> = {
  losing: "losing records",
  failing: "with a failing drain",
  errors: "with errors",
  slow: "slow",
  lagging: "lagging",
};

/** Of rows, worst first, that begin with the worst of all: how many have troubles, and which; `more`: maybe further ones. */
export function troubled(rows: OverviewRow[], total: number): { channels: number; more: boolean; which: string } {
  const bad = rows.filter((row) => row.troubles.length > 0);
  const by = (trouble: Trouble) => bad.filter((row) => row.troubles.includes(trouble)).length;
  const which = (Object.keys(words) as Trouble[]).filter((trouble) => by(trouble) > 0);
  return {
    channels: bad.length,
    more: bad.length === rows.length && rows.length < total,
    which: which.map((trouble) => `${exact(by(trouble))} ${words[trouble]}`).join(", "),
  };
}
