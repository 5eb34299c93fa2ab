// Trying a far end, at most as often as the API takes it.
import { request } from "../api/client";
import type { DrainTest } from "../api/types";

const takes = 30_000; // milliseconds: its steps have 25 s together
const between = 1100; // of two tests, from one's end
const ended = new Map<string, number>(); // when the last test of a path ended

/** `path`: a drain's, or a channel's `…/drains`; that of what `body` says. */
export async function tryFarEnd(path: string, body: unknown = {}): Promise<DrainTest> {
  const early = (ended.get(path) ?? 0) + between - Date.now();
  if (early > 0) await new Promise((over) => window.setTimeout(over, early));
  try {
    return await request<DrainTest>("POST", `${path}/test`, body, undefined, takes);
  } finally {
    if (ended.size > 100) ended.clear();
    ended.set(path, Date.now());
  }
}
