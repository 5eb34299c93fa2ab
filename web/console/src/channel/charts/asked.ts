// What the page asks of a channel's metrics, again and again.
import { useMemo, useRef } from "preact/hooks";
import { at, get, withQuery, type ApiError } from "../../api/client";
import { routerNow } from "../../api/clock";
import { usePoll } from "../../api/poll";
import type { Metrics } from "../../api/types";
import { merged, type Kept } from "./kept";
import { oneStep, type Range } from "./stretch";

/** Of so many questions one is about all of the range, for lines that came late; fewer where that is megabytes. */
function wholeEvery(kept: Kept | undefined): number {
  const points = kept?.series.reduce((sum, series) => sum + series.points.size, 0) ?? 0;
  return points > 10_000 ? 60 : 6;
}

export interface Asked<T> {
  data?: T;
  error?: ApiError;
  at?: number;
  again: () => void;
}

/**
 * The series of these names over a range. After the first answer only the last steps are asked for, so a page that
 * stays open costs little. `sources` "none": those without one, where there may be hundreds by dyno beside it; "any": a question for each
 * name, since all dynos' points in one may be more than an answer holds. No names: nothing is asked.
 */
export function useSeries(channel: string, range: Range, names: string[], sources: "any" | "none" = "any"): Asked<Kept> {
  const what = JSON.stringify([channel, range.id, names, sources]);
  const kept = useRef<{ what: string; data?: Kept; asked: number }>({ what, asked: 0 });
  if (kept.current.what !== what) kept.current = { what, asked: 0 };
  const ask = async (signal: AbortSignal): Promise<Kept | undefined> => {
    if (names.length === 0) return undefined;
    const mine = kept.current;
    const before = mine.asked % wholeEvery(mine.data) === 0 ? undefined : mine.data;
    const from = before ? String(before.stretch.to - 3 * range.step) : range.id;
    const path = (name: string | string[]) => withQuery(at`/v3/channels/${channel}/metrics`, { from, step: range.step, name });
    const paths = sources === "none" ? [`${path(names)}&source=`] : names.map(path);
    const [answer, ...further] = await Promise.all(paths.map((one) => get<Metrics>(one, signal)));
    answer!.series.push(...further.flatMap(({ series }) => series));
    mine.asked += 1;
    return (mine.data = merged(before, answer!, range, routerNow() / 1000));
  };
  return usePoll(ask, range.every, what);
}

/** All that a channel has, each series as one point over about the range. */
export interface Catalogue {
  from: number;
  series: Metrics["series"];
}

export function useCatalogue(channel: string, range: Range): Asked<Catalogue> {
  const ask = async (signal: AbortSignal): Promise<Catalogue> => {
    const one = oneStep(range, routerNow() / 1000);
    const answer = await get<Metrics>(withQuery(at`/v3/channels/${channel}/metrics`, one), signal);
    return { from: one.from, series: answer.series };
  };
  return usePoll(ask, Math.max(30_000, range.every), `${channel}\n${range.id}`);
}

/** The same array as long as its texts are the same. */
export function useSame(names: string[]): string[] {
  const key = JSON.stringify(names);
  return useMemo(() => names, [key]);
}
