// One chart: its heading, what it draws, its legend, its figures as a table, and its files.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import { useCrosshair, type Crosshair } from "./crosshair";
import { Files } from "./files";
import { Figures } from "./figures_table";
import { Legend } from "./legend";
import { Plot } from "./plot";
import type { ChartSpec } from "./specs";
import { indexOf, isOpen, stepCount, timeAt, type Range, type Stretch } from "./stretch";
import { describe, shownStep, stepText } from "./words";

/** What all charts of a page have in common. */
export interface Page {
  channel: string;
  range: Range;
  crosshair: Crosshair;
  events: number[]; // times, in order
  pin: (time: number) => void;
  lines: (time: number) => void; // goes to the lines of a step
  say: (text: string) => void; // to who does not see
}

interface Props {
  page: Page;
  spec: ChartSpec;
  stretch: Stretch;
  children?: ComponentChildren; // below the legend
  tools?: ComponentChildren;
}

export function Chart({ page, spec, stretch, children, tools }: Props) {
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [table, setTable] = useState(false);
  const heading = useId();
  const files = !spec.missing && spec.lines.length > 0;
  const toggle = (key: string) =>
    setHidden((before) => {
      const after = new Set(before);
      if (!after.delete(key)) after.add(key);
      return after;
    });
  return (
    <section class="metrics-chart sheet" data-chart={spec.id}>
      <header>
        <h2 id={heading}>{spec.title}</h2>
        <LookedAt {...{ page, spec, stretch }} />
        <span class="fill" />
        {tools}
        {files && (
          <button type="button" class="plain" aria-pressed={table} aria-describedby={heading} onClick={() => setTable(!table)}>
            Table
          </button>
        )}
        {files && <Files page={page} spec={spec} heading={heading} />}
      </header>
      {spec.missing ? (
        <p class="metrics-missing" role="img" aria-label={`${spec.title}: ${spec.missing}`}>
          {spec.missing}
        </p>
      ) : (
        <>
          {table && files ? <Figures {...{ spec, stretch, hidden }} /> : <Drawn {...{ page, spec, stretch, hidden }} />}
          {spec.lines.length > 0 && <Legend {...{ page, spec, stretch, hidden, toggle }} />}
        </>
      )}
      {spec.note && <p class="hint">{spec.note}</p>}
      {!spec.missing && children}
    </section>
  );
}

function LookedAt({ page, spec, stretch }: Pick<Props, "page" | "spec" | "stretch">) {
  const index = shownStep(spec, stretch, useCrosshair(page.crosshair));
  if (index === null || spec.missing) return null;
  const time = new Date(timeAt(stretch, index) * 1000).toISOString();
  return (
    <time class="faint" dateTime={time} title={time} data-time={time} data-open={isOpen(stretch, index) ? "true" : undefined}>
      {stepText(stretch, index)}
    </time>
  );
}

/** Arrows move the crosshair, Enter goes to the lines of its step, a click pins it. */
function Drawn({ page, spec, stretch, hidden }: Pick<Props, "page" | "spec" | "stretch"> & { hidden: ReadonlySet<string> }) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot>();
  const { crosshair, events } = page;
  const drawing = useMemo(() => ({ spec, stretch, hidden, events }), [spec, stretch, hidden, events]);
  useEffect(() => {
    plot.current = new Plot(host.current!, crosshair, drawing);
    return () => plot.current?.destroy();
  }, [crosshair]);
  useEffect(() => {
    if (plot.current?.drawing !== drawing) plot.current?.update(drawing);
  }, [drawing]);

  const looked = () => shownStep(spec, stretch, crosshair.time);
  const keyed = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = stepCount(stretch);
    const now = looked();
    const to = { ArrowLeft: (now ?? steps) - 1, ArrowRight: (now ?? -1) + 1, Home: 0, End: steps - 1 }[event.key];
    if (to !== undefined) {
      const index = Math.min(steps - 1, Math.max(0, to));
      crosshair.point(timeAt(stretch, index));
      page.say(describe(spec, stretch, page.range, timeAt(stretch, index)));
    } else if (event.key === "Enter" && now !== null) page.lines(timeAt(stretch, now));
    else if (event.key === " " && now !== null) page.pin(timeAt(stretch, now));
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const clicked = () => {
    const index = indexOf(stretch, crosshair.time);
    if (index !== null) page.pin(timeAt(stretch, index));
  };
  return (
    <div
      ref={host}
      class="metrics-plot"
      role="img"
      tabIndex={0}
      aria-label={describe(spec, stretch, page.range, null)}
      onKeyDown={keyed}
      onBlur={() => crosshair.point(null)}
      onClick={clicked}
    />
  );
}
