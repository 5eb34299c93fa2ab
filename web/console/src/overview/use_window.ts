// Which rows of a long list are in view. The list scrolls with `main`.
import { useEffect, useLayoutEffect, useMemo, useRef, useState, type MutableRef } from "preact/hooks";
import { Heights } from "./heights";

const usual = 38; // pixels of a row, until one was measured
const spare = 8; // rows that are drawn on either side of those in view

export interface Window {
  first: number;
  end: number;
  heights: Heights;
  reveal: (index: number) => void; // scrolls so that the row is in view
}

const scroller = (element: HTMLElement) => element.closest("main") ?? document.documentElement;

/** Where `main` is scrolled to, in the list's own pixels, and how much of it the head above the list covers. */
function place(list: HTMLElement) {
  const pane = scroller(list);
  const paneTop = pane.getBoundingClientRect().top;
  const head = list.previousElementSibling as HTMLElement | null;
  const covered = head && getComputedStyle(head).position === "sticky" ? head.offsetHeight : 0;
  return { pane, y: paneTop - list.getBoundingClientRect().top, height: pane.clientHeight, covered };
}

/** `list`: holds the rows, each with its index as `data-index`; `what`: another list stands in its place when this changes. */
export function useWindow(list: MutableRef<HTMLDivElement | null>, count: number, what: string): Window {
  const heights = useMemo(() => new Heights(count, usual), []);
  heights.resize(count);
  const [view, setView] = useState({ first: 0, end: 25 });
  const [, drawn] = useState(0);
  const width = useRef(0);
  const top = useRef(0); // the first row that really shows

  const look = () => {
    if (!list.current) return;
    const { y, height, covered } = place(list.current);
    top.current = heights.at(y + covered);
    const first = Math.max(0, top.current - spare);
    const end = Math.min(Math.max(count, 1), heights.at(y + height) + 1 + spare);
    setView((before) => (before.first === first && before.end === end ? before : { first, end }));
  };
  const latest = useRef(look);
  latest.current = look;

  // Who comes back finds the place where he was: it is kept with the entry of the browser's history.
  useEffect(() => {
    if (!list.current) return;
    const pane = scroller(list.current);
    const top: unknown = (history.state as { top?: unknown } | null)?.top;
    if (typeof top === "number") pane.scrollTop = top;
    let timer = 0;
    const keep = () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => history.replaceState({ top: pane.scrollTop }, ""), 250);
    };
    pane.addEventListener("scroll", keep, { passive: true });
    return () => {
      window.clearTimeout(timer);
      pane.removeEventListener("scroll", keep);
    };
  }, []);

  useEffect(() => {
    if (!list.current) return;
    const pane = scroller(list.current);
    let frame = 0;
    const soon = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        latest.current();
      });
    };
    const resized = new ResizeObserver(([entry]) => {
      const now = Math.round(entry!.contentRect.width);
      if (now !== width.current && width.current !== 0) {
        heights.forget();
        drawn((n) => n + 1);
      }
      width.current = now;
      soon();
    });
    pane.addEventListener("scroll", soon, { passive: true });
    resized.observe(list.current);
    const pages = new ResizeObserver(soon);
    pages.observe(pane);
    return () => {
      cancelAnimationFrame(frame);
      pane.removeEventListener("scroll", soon);
      resized.disconnect();
      pages.disconnect();
    };
  }, []);

  // Rows above the first one that shows push it away by as much as they turn out higher: that is scrolled back.
  useLayoutEffect(() => {
    if (!list.current) return;
    const rows = [...list.current.children] as HTMLElement[];
    const sizes = rows.map((row) => [Number(row.dataset.index), row.getBoundingClientRect().height] as const);
    if (sizes.length > 0) heights.learn(Math.min(...sizes.map(([, height]) => height)));
    const before = heights.top(top.current);
    const grown = sizes.map(([index, height]) => heights.set(index, height)).some((by) => by !== 0);
    if (!grown) return;
    const pushed = heights.top(top.current) - before;
    const { pane, y } = place(list.current);
    list.current.style.height = `${heights.total}px`;
    if (pushed !== 0 && y > 0) pane.scrollTop += pushed;
    drawn((n) => n + 1);
  });

  useLayoutEffect(() => latest.current(), [count]);

  const shown = useRef(what);
  useLayoutEffect(() => {
    if (shown.current === what) return;
    shown.current = what;
    heights.forget();
    if (list.current) scroller(list.current).scrollTop = 0;
    latest.current();
  }, [what]);

  return {
    first: Math.min(view.first, Math.max(0, count - 1)),
    end: Math.min(view.end, count),
    heights,
    reveal: (index) => {
      if (!list.current) return;
      const { pane, y, height, covered } = place(list.current);
      const above = heights.top(index) - (y + covered);
      const below = heights.top(index + 1) - (y + height);
      if (above < 0) pane.scrollTop += above - 8;
      else if (below > 0) pane.scrollTop += below + 8;
    },
  };
}
