// A channel's drains and how each of them is, asked again and again.
import { useRef } from "preact/hooks";
import { ApiError, at, get } from "../api/client";
import { usePoll, type Polled } from "../api/poll";
import type { Drain, DrainHealth } from "../api/types";
import { worstFirst, type Shown } from "./words";

export const shownAtOnce = 20;
const abreast = 4;

/**
 * Worst first; the health of the first `limit` of them, and of `opened`. One question for each drain in two seconds up to
 * shownAtOnce, then as much more rarely as there are more.
 */
export function useDrains(channel: string, limit: number, opened: string): Polled<Shown[]> {
  const before = useRef<Shown[]>([]);
  const every = 2000 * Math.max(1, Math.ceil(limit / shownAtOnce));
  return usePoll(
    async (signal) => {
      const { drains } = await get<{ drains: Drain[] }>(at`/v3/channels/${channel}/drains`, signal);
      const known = new Map(before.current.map((one) => [one.drain.id, one.health]));
      const all = worstFirst(drains.map((drain) => ({ drain, health: drain.state && known.get(drain.id) })));
      const asked = all.filter(({ drain }, i) => drain.state && (i < limit || String(drain.id) === opened));
      let next = 0;
      const asker = async () => {
        for (let one = asked[next++]; one; one = asked[next++]) {
          try {
            one.health = await get<DrainHealth>(at`/v3/channels/${channel}/drains/${one.drain.id}/health`, signal);
          } catch (error) {
            if (!(error instanceof ApiError && error.status === 404)) throw error; // it was removed meanwhile
          }
        }
      };
      await Promise.all(Array.from({ length: abreast }, asker));
      return (before.current = worstFirst(all));
    },
    every,
    channel,
  );
}
