// The rows in view and some beyond, anew every two seconds.
import { useEffect, useRef } from "preact/hooks";
import { get, withQuery } from "../api/client";
import { usePoll, type Polled } from "../api/poll";
import type { Overview } from "../api/types";
import { troubled } from "./troubles";
import { covers, placed, rangeFor, type Range, type Shown, type View } from "./view";

const every = 2000; // milliseconds; how often the router makes it
const settled = 80; // milliseconds without scrolling

export interface Rows extends Polled<Shown> {
  shown?: Shown; // what to draw: `data`, or that of the view before until `data` comes
  look: (first: number, end: number) => void; // these rows show now
}

export function useRows(view: View, hold: () => boolean): Rows {
  const range = useRef<Range>(rangeFor(0, 25));
  const last = useRef<Shown>();
  const timer = useRef(0);
  const what = JSON.stringify(view);
  const asked = useRef(what);
  if (asked.current !== what) {
    asked.current = what;
    range.current = rangeFor(0, 25);
  }
  const poll = usePoll(
    async (signal) => {
      const wanted = range.current;
      const query = { sort: view.sort, search: view.search, offset: wanted.offset, limit: wanted.limit };
      const answer = await get<Overview>(withQuery("/v3/overview", query), signal);
      return placed(last.current, view, wanted, answer, hold());
    },
    every,
    what,
  );
  if (poll.data) last.current = poll.data;
  const again = useRef(poll.again);
  again.current = poll.again;
  useEffect(() => () => window.clearTimeout(timer.current), []);
  return {
    ...poll,
    shown: poll.data ?? last.current,
    look: (first, end) => {
      if (covers(range.current, first, end)) return;
      range.current = rangeFor(first, end);
      window.clearTimeout(timer.current);
      timer.current = window.setTimeout(() => again.current(), settled);
    },
  };
}

/** How many channels have trouble: of the rows that are there anyway if they tell it, else of the worst 200. */
export function useTroubled(shown: Shown | undefined): ReturnType<typeof troubled> | undefined {
  const { answer, view, range } = shown ?? {};
  const own =
    answer && view?.sort === "worst" && view.search === "" && range?.offset === 0 && !shown!.held
      ? troubled(answer.channels, answer.total)
      : undefined;
  const known = own && !own.more;
  const ask = shown !== undefined && !known;
  const { data } = usePoll(
    async (signal) => {
      if (!ask) return undefined;
      const worst = await get<Overview>(withQuery("/v3/overview", { sort: "worst", limit: 200 }), signal);
      return troubled(worst.channels, worst.total);
    },
    10_000,
    ask ? "worst" : "nothing",
  );
  return known ? own : data;
}
