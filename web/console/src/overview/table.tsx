// The channels, of which only those in view are drawn.
import { useEffect, useRef, useState } from "preact/hooks";
import { setQuery } from "../route";
import { useKeys } from "../ui/keys";
import { columns, type Column } from "./columns";
import { Row } from "./row";
import type { Hold } from "../ui/use_hold";
import { useWindow } from "./use_window";
import type { Placed, Shown, Sort } from "./view";

function Head({ column, sort }: { column: Column; sort: Sort }) {
  const current = column.sort === sort;
  return (
    <div
      role="columnheader"
      class={`over-${column.id}${column.number ? " number" : ""}${column.sort ? "" : " unsorted"}`}
      aria-sort={current ? column.order : column.sort ? "none" : undefined}
      title={column.hint}
    >
      {column.sort ? (
        <button type="button" onClick={() => setQuery({ sort: column.sort === "worst" ? "" : column.sort! })}>
          {column.head}
          <span aria-hidden="true">{current ? (column.order === "ascending" ? " ▲" : " ▼") : ""}</span>
        </button>
      ) : (
        column.head
      )}
    </div>
  );
}

interface Props {
  shown: Shown;
  sort: Sort; // what was asked for, maybe not answered yet
  busy: boolean;
  hold: Hold;
  look: (first: number, end: number) => void;
}

export function ChannelTable({ shown, sort, busy, hold, look }: Props) {
  const count = shown.answer.matching;
  const view = JSON.stringify(shown.view);
  const { first, end, heights, reveal } = useWindow(hold.element, count, view);
  const [focused, setFocused] = useState<number>();
  const wanted = useRef<number>();
  useEffect(() => look(first, end), [first, end]);

  const link = (index: number) =>
    hold.element.current?.querySelector<HTMLElement>(`[data-index="${index}"] .over-name a`) ?? undefined;
  useEffect(() => {
    if (wanted.current === undefined) return;
    const at = document.activeElement;
    const free = !at || at === document.body || hold.element.current!.contains(at);
    const found = link(wanted.current);
    if (found || !free) wanted.current = undefined;
    if (free) found?.focus({ preventScroll: true });
  });
  const go = (index: number) => {
    const next = Math.max(0, Math.min(index, count - 1));
    reveal(next);
    const found = link(next);
    if (found) found.focus({ preventScroll: true });
    else {
      wanted.current = next;
      setFocused(next);
    }
  };
  const step = (by: number) => {
    if (focused !== undefined) return go(focused + by);
    const pane = hold.element.current!.closest("main")!.getBoundingClientRect();
    const offset = pane.top - hold.element.current!.getBoundingClientRect().top;
    go(offset <= 0 ? 0 : heights.at(offset) + 1);
  };
  useKeys({ j: () => step(1), k: () => step(-1) });
  const pressed = (event: KeyboardEvent) => {
    const moves: Record<string, () => void> = {
      ArrowDown: () => step(1),
      ArrowUp: () => step(-1),
      Home: () => go(0),
      End: () => go(count - 1),
      Escape: () => (document.activeElement as HTMLElement).blur(),
    };
    const move = event.ctrlKey || event.metaKey || event.altKey ? undefined : moves[event.key];
    if (!move) return;
    event.preventDefault();
    move();
  };

  const drawn = Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i);
  if (focused !== undefined && focused < count && focused < first) drawn.unshift(focused);
  else if (focused !== undefined && focused < count && focused >= end) drawn.push(focused);
  const now = Date.parse(shown.answer.now);
  // The row with the focus stays, with its link, however far away one scrolls.
  const remembered = useRef<{ index: number; placed: Placed }>();
  const placedAt = (index: number): Placed | undefined => {
    const found = shown.rows.get(index);
    if (index !== focused) return found;
    if (found) remembered.current = { index, placed: found };
    return found ?? (remembered.current?.index === index ? { ...remembered.current.placed, old: true } : undefined);
  };
  return (
    <div class={`over-table${busy ? " busy" : ""}`} role="table" aria-label="Channels" aria-rowcount={count + 1} aria-busy={busy}>
      <div role="rowgroup" class="over-head">
        <div role="row" aria-rowindex={1}>
          {columns.map((column) => (
            <Head key={column.id} column={column} sort={sort} />
          ))}
        </div>
      </div>
      <div
        role="rowgroup"
        class="over-rows"
        ref={hold.element}
        style={{ height: `${heights.total}px` }}
        onPointerMove={hold.moves}
        onPointerLeave={hold.leaves}
        onKeyDown={pressed}
        onFocusIn={(event) => setFocused(Number((event.target as HTMLElement).closest<HTMLElement>(".over-row")?.dataset.index))}
        onFocusOut={(event) => hold.element.current?.contains(event.relatedTarget as Node) || setFocused(undefined)}
      >
        {drawn.map((index) => (
          <Row key={index} index={index} top={heights.top(index)} placed={placedAt(index)} now={now} />
        ))}
      </div>
    </div>
  );
}
