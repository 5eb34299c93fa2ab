// Which time the charts show, in steps of which length. Times are whole seconds since the epoch.

export interface Range {
  id: string; // in the URL, and a duration as the API takes it
  text: string;
  seconds: number;
  step: number;
  stepText: string;
  every: number; // milliseconds between two questions
}

const minute = 60;
const hour = 3600;

export const ranges: readonly Range[] = [
  { id: "2h", text: "2 h", seconds: 2 * hour, step: minute, stepText: "1 min", every: 10_000 },
  { id: "24h", text: "24 h", seconds: 24 * hour, step: 10 * minute, stepText: "10 min", every: 60_000 },
  { id: "72h", text: "72 h", seconds: 72 * hour, step: 10 * minute, stepText: "10 min", every: 60_000 },
  { id: "7d", text: "7 d", seconds: 168 * hour, step: hour, stepText: "1 h", every: 120_000 },
];

export const rangeOf = (id: string | null): Range => ranges.find((range) => range.id === id) ?? ranges[0]!;

/** Steps begin at `from`, `from + step`, …; the last one ends at `to`, and `now` is mostly within it. */
export interface Stretch {
  from: number;
  to: number;
  step: number;
  wholeFrom: number; // before it values may be missing; `from` or later
  now: number;
}

export const stepCount = (stretch: Stretch) => Math.max(0, Math.round((stretch.to - stretch.from) / stretch.step));
export const timeAt = (stretch: Stretch, index: number) => stretch.from + index * stretch.step;

/** The step that holds a time; null outside. */
export function indexOf(stretch: Stretch, time: number | null): number | null {
  if (time === null || time < stretch.from || time >= stretch.to) return null;
  return Math.floor((time - stretch.from) / stretch.step);
}

/**
 * Over how many seconds what came in a step is spread: those of the step, of the one that has not ended only what has
 * passed, or a rate would fall at the end of every chart. A browser whose clock is elsewhere divides by the whole step.
 */
export function spread(stretch: Stretch, index: number): number {
  const passed = stretch.now - timeAt(stretch, index);
  return passed >= 5 && passed < stretch.step ? passed : stretch.step;
}

export const isOpen = (stretch: Stretch, index: number) => stretch.now < timeAt(stretch, index) + stretch.step;

/** `at` as the URL has it: a moment in RFC 3339. */
export function momentOf(text: string | null): number | null {
  const at = text ? Date.parse(text) / 1000 : NaN;
  return Number.isFinite(at) ? at : null;
}

export const iso = (time: number) => new Date(time * 1000).toISOString();

/**
 * One step that holds nearly all of a range up to now: from where, and how long. Steps are aligned to the epoch, so the length is
 * chosen such that one began about a range ago; quantiles over a stretch cannot be had by adding up those of its steps.
 */
export function oneStep(range: Range, now: number): { from: number; step: number } {
  const grain = range.step; // windows that are kept; a boundary within one would lose it
  const longest = Math.min(2 * range.seconds, 7 * 24 * hour);
  let best = { from: Math.floor(now / range.seconds) * range.seconds, step: range.seconds };
  for (let step = Math.max(grain, range.seconds / 2); step <= longest; step += grain) {
    const from = Math.floor(now / step) * step;
    if (now - from <= range.seconds && now - from > now - best.from) best = { from, step };
  }
  return best;
}
