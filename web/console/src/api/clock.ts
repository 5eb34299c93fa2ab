// The router's clock, by which all of its times are: a browser's may be wrong by hours.

let ahead = 0; // milliseconds that the router's is ahead of this one

/** `date`: a Date field, in whole seconds; differences of less than two are none. */
export function learnTime(date: string | null): void {
  const difference = Date.parse(date ?? "") - Date.now();
  if (Number.isNaN(difference)) return;
  ahead = Math.abs(difference) < 2000 ? 0 : difference;
}

/** Milliseconds since the epoch, as the router would say. */
export const routerNow = () => Date.now() + ahead;
