// What a drain did over time: tracks on one axis, with one cursor over all of them.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { at as path, get, withQuery } from "../api/client";
import { usePoll } from "../api/poll";
import type { DrainHistory } from "../api/types";
import { setQuery, useRoute } from "../route";
import { Failed, Loading, Stale } from "../ui/states";
import { moment } from "../ui/time";
import { Plot, StateBand, TimeAxis } from "./plot";
import { latest, stepsOf, valueText, type Steps } from "./tracks";

const ranges = {
  "2h": { text: "2 hours", step: 60, every: 10_000 },
  "72h": { text: "3 days", step: 600, every: 60_000 },
};
type Range = keyof typeof ranges;

function useWidth() {
  const element = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const watched = element.current;
    if (!watched) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    observer.observe(watched);
    return () => observer.disconnect();
  }, []);
  return { element, width };
}

const momentOf = (steps: Steps, at: number) => moment(steps.begin + at * steps.step);
const stateText = (steps: Steps, at: number) => steps.states[at] ?? (at < steps.knownFrom ? "not known" : "idle");

function Tracks({ steps }: { steps: Steps }) {
  const { element, width } = useWidth();
  const [cursor, setCursor] = useState<number | null>(null);
  const at = Math.min(cursor ?? latest(steps), steps.count - 1);
  const shown = cursor === null ? null : at;
  const point = (event: PointerEvent) => {
    const ground = element.current!.getBoundingClientRect();
    const share = (event.clientX - ground.left) / ground.width;
    setCursor(share < 0 || share > 1 ? null : Math.min(steps.count - 1, Math.floor(share * steps.count)));
  };
  const keyed = (event: KeyboardEvent) => {
    const moves: Record<string, number> = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: steps.count - 1 };
    const to = moves[event.key];
    if (to === undefined && event.key !== "Escape") return;
    event.preventDefault();
    setCursor(to === undefined ? null : Math.max(0, Math.min(steps.count - 1, to)));
  };
  const words = [`${momentOf(steps, at)}: ${stateText(steps, at)}`, ...steps.tracks.map((t) => `${t.name} ${valueText(t, at)}`)].join("; ");
  const drawn = { steps, width, cursor: shown };
  return (
    <div
      class="drains-tracks"
      role="group"
      aria-label="Charts; the arrow keys move through the time"
      tabIndex={0}
      onKeyDown={keyed}
      onBlur={() => setCursor(null)}
      onPointerMove={point}
      onPointerLeave={() => setCursor(null)}
    >
      <p class="visually-hidden" role="status">
        {cursor === null ? "" : words}
      </p>
      <div class="drains-track">
        <div class="drains-track-name">
          <b>State</b> <span>{stateText(steps, at)}</span>
        </div>
        <div ref={element}>{width > 0 && <StateBand {...drawn} />}</div>
      </div>
      {steps.tracks.map((track) => (
        <div key={track.name} class="drains-track">
          <div class="drains-track-name">
            <b>{track.name}</b>{" "}
            {track.series[0]!.name ? (
              track.series.map((series) => (
                <span key={series.name} class="drains-legend">
                  <i class={`drains-tone-${series.tone}`} aria-hidden="true" /> {series.name}{" "}
                  {series.values[at] === null || series.values[at] === undefined ? "–" : track.text(series.values[at]!)}
                </span>
              ))
            ) : (
              <span>{valueText(track, at)}</span>
            )}
          </div>
          <div>{width > 0 && <Plot track={track} {...drawn} />}</div>
        </div>
      ))}
      <div class="drains-track">
        <div class="drains-track-name drains-at">{momentOf(steps, at)}</div>
        <div>{width > 0 && <TimeAxis steps={steps} width={width} />}</div>
      </div>
    </div>
  );
}

function Table({ steps }: { steps: Steps }) {
  const [open, setOpen] = useState(false);
  const rows = Array.from({ length: steps.count }, (_, i) => steps.count - 1 - i).filter((i) => steps.states[i]);
  return (
    <details class="drains-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>As a table</summary>
      {open && (
        <div class="drains-scroll" tabIndex={0} role="region" aria-label="What the charts show, as a table">
          <table>
            <thead>
              <tr>
                {["Time", "State", ...steps.tracks.map((t) => t.name)].map((name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((i) => (
                <tr key={i}>
                  <th scope="row">{momentOf(steps, i)}</th>
                  <td>{stateText(steps, i)}</td>
                  {steps.tracks.map((track) => (
                    <td key={track.name}>{valueText(track, i)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}

export function OverTime({ channel, drain }: { channel: string; drain: number }) {
  const { query } = useRoute();
  const range: Range = query.get("range") === "72h" ? "72h" : "2h";
  const { step, every } = ranges[range];
  const { data, error, at, again } = usePoll(
    (signal) => get<DrainHistory>(withQuery(path`/v3/channels/${channel}/drains/${drain}/history`, { from: range, step }), signal),
    every,
    `${channel} ${drain} ${range}`,
  );
  const steps = useMemo(() => data && stepsOf(data, at!), [data]);
  return (
    <section class="drains-part">
      <div class="drains-part-head">
        <h4>Over time</h4>
        <div role="group" aria-label="How far back">
          {(Object.keys(ranges) as Range[]).map((one) => (
            <button key={one} type="button" aria-pressed={one === range} onClick={() => setQuery({ range: one === "2h" ? "" : one })}>
              {ranges[one].text}
            </button>
          ))}
        </div>
      </div>
      <Stale error={data && error} at={at} />
      {steps ? (
        <>
          <Tracks steps={steps} />
          <Table steps={steps} />
        </>
      ) : error ? (
        <Failed error={error} again={again} />
      ) : (
        <Loading what="what it did" />
      )}
    </section>
  );
}
