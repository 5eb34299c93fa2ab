// One track of a drain's history, drawn as SVG.
import type { ComponentChildren } from "preact";
import { clock, moment } from "../ui/time";
import { inWords, ticks, type Series, type Steps, type Track } from "./tracks";

export const plotHeight = 56;
const bandHeight = 20;
const day = 86_400_000; // milliseconds

const x = (steps: Steps, width: number, at: number) => (at / steps.count) * width;
const round = (n: number) => Math.round(n * 10) / 10;

function barsPath(track: Track, series: Series, steps: Steps, width: number): string {
  const below = track.series.slice(0, track.series.indexOf(series));
  const y = (value: number) => round(plotHeight - (value / track.most) * (plotHeight - 2));
  let path = "";
  series.values.forEach((value, i) => {
    if (!value) return;
    const base = below.reduce((sum, other) => sum + (other.values[i] ?? 0), 0);
    // What there is shows, however little it is.
    const top = Math.min(y(base + value), y(base) - 1.5);
    path += `M${round(x(steps, width, i))} ${y(base)}V${round(top)}H${round(x(steps, width, i + 1))}V${y(base)}Z`;
  });
  return path;
}

/** A level for each step; where there is none the line ends. */
function linePath(track: Track, series: Series, steps: Steps, width: number): string {
  let path = "";
  series.values.forEach((value, i) => {
    if (value === null) return;
    const y = round(plotHeight - 1 - (value / track.most) * (plotHeight - 4));
    path += `${i > 0 && series.values[i - 1] !== null ? "L" : "M"}${round(x(steps, width, i))} ${y}H${round(x(steps, width, i + 1))}`;
  });
  return path;
}

function Frame({ steps, width, height, cursor, label, children }: {
  steps: Steps; width: number; height: number; cursor: number | null; label: string; children: ComponentChildren;
}) {
  return (
    <svg class="drains-plot" width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      {ticks(steps.begin, steps.begin + steps.count * steps.step, width / 90).map((mark) => {
        const at = ((mark - steps.begin) / (steps.count * steps.step)) * width;
        return <line key={mark} class="drains-mark" x1={at} x2={at} y1={0} y2={height} />;
      })}
      {steps.knownFrom > 0 && <rect class="drains-unknown" width={x(steps, width, steps.knownFrom)} height={height} />}
      {children}
      {cursor !== null && <rect class="drains-cursor" x={x(steps, width, cursor)} width={Math.max(1, width / steps.count)} height={height} />}
    </svg>
  );
}

interface Drawn {
  steps: Steps;
  width: number;
  cursor: number | null;
}

export function Plot({ track, ...drawn }: Drawn & { track: Track }) {
  return (
    <Frame {...drawn} height={plotHeight} label={inWords(track, drawn.steps)}>
      <line class="drains-base" x1={0} x2={drawn.width} y1={plotHeight - 0.5} y2={plotHeight - 0.5} />
      {track.series.map((series) => (
        <path
          key={series.name}
          class={`drains-${track.kind} drains-tone-${series.tone}`}
          d={(track.kind === "bars" ? barsPath : linePath)(track, series, drawn.steps, drawn.width)}
        />
      ))}
      <text class="drains-most" x={4} y={11}>
        {track.text(track.most)}
      </text>
    </Frame>
  );
}

// Told apart by height too: the worse, the taller.
const heights = { ok: 6, pending: 3, paused: 12, failing: 20 };

export function StateBand(drawn: Drawn) {
  const { steps, width } = drawn;
  const runs: { state: keyof typeof heights; from: number; past: number }[] = [];
  steps.states.forEach((state, i) => {
    const last = runs.at(-1);
    if (state && last?.state === state && last.past === i) last.past = i + 1;
    else if (state) runs.push({ state, from: i, past: i + 1 });
  });
  const told = runs.slice(-20).map((run) => `${run.state} from ${moment(steps.begin + run.from * steps.step)} to ${moment(steps.begin + run.past * steps.step)}`);
  return (
    <Frame {...drawn} height={bandHeight} label={`State: ${told.join(", ") || "nothing happened"}`}>
      {x(steps, width, steps.knownFrom) > 90 && (
        <text class="drains-time" x={4} y={14}>
          nothing known
        </text>
      )}
      {runs.map(({ state, from, past }) => (
        <rect
          key={from}
          class={`drains-state-${state}`}
          x={x(steps, width, from)}
          width={x(steps, width, past - from)}
          y={bandHeight - heights[state]}
          height={heights[state]}
        />
      ))}
    </Frame>
  );
}

export function TimeAxis({ steps, width }: { steps: Steps; width: number }) {
  const end = steps.begin + steps.count * steps.step;
  return (
    <svg class="drains-plot" width={width} height={16} aria-hidden="true">
      {ticks(steps.begin, end, width / 90).map((mark) => {
        const at = ((mark - steps.begin) / (end - steps.begin)) * width;
        return (
          <text key={mark} class="drains-time" x={at} y={12} text-anchor={at < 20 ? "start" : at > width - 24 ? "end" : "middle"}>
            {end - steps.begin < day ? clock(mark).slice(0, 5) : moment(mark)}
          </text>
        );
      })}
    </svg>
  );
}
