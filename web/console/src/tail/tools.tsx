// The state in words, what stops and starts it, and how lines look.
import { useEffect, useRef } from "preact/hooks";
import { setQuery } from "../route";
import { Badge, type Tone } from "../ui/badge";
import type { Shown } from "./controller";
import { timeText, type Settings, type TimeForm } from "./settings";
import { plainText } from "./sgr";
import { severities } from "./terms";
import { durations, type View } from "./view";

export function stateOf({ stream, paused }: Shown): { tone: Tone; word: string } {
  if (stream.is === "ended" || stream.is === "refused") return { tone: "bad", word: "ended" };
  if (stream.is === "reconnecting") return { tone: "warn", word: "reconnecting" };
  if (paused || stream.is === "stopped") return { tone: "warn", word: "paused" };
  return stream.is === "live" ? { tone: "good", word: "live" } : { tone: "quiet", word: "connecting" };
}

export function State({ shown, form }: { shown: Shown; form: TimeForm }) {
  const { tone, word } = stateOf(shown);
  const also = word === "reconnecting" && shown.paused ? " (paused)" : "";
  return (
    <span class="tail-state">
      <span role="status">
        <Badge tone={tone}>{word + also}</Badge>
      </span>
      <span class="faint" title={plainText(shown.lastTime)}>
        {shown.lastTime ? `last line ${plainText(timeText(shown.lastTime, form === "relative" ? "local" : form))}` : "no line yet"}
      </span>
    </span>
  );
}

/** `act`: what a click does is what it says. */
export function PauseButton({ shown, act }: { shown: Shown; act: () => void }) {
  const over = shown.stream.is === "ended" || shown.stream.is === "refused";
  return (
    <button type="button" class={`tail-pause${shown.paused ? " primary" : ""}`} disabled={over && !shown.paused} title={shown.paused ? "Go on at the end (space)" : "Hold what shows (space)"} onClick={act}>
      {shown.paused ? "Resume" : "Pause"}
    </button>
  );
}

/** What the router is asked for, besides chips and terms. */
export function Picks({ view }: { view: View }) {
  const known = durations.some(([value]) => value === view.since);
  return (
    <span class="tail-picks">
      <select aria-label="Severity" value={view.severity} onChange={(event) => setQuery({ severity: event.currentTarget.value }, true)}>
        <option value="">any severity</option>
        {severities.map((name, i) => (
          <option key={name} value={name}>
            {i === 0 ? name : `${name} or worse`}
          </option>
        ))}
        {view.severity && !severities.includes(view.severity) && <option value={view.severity}>{view.severity}</option>}
      </select>
      <select aria-label="History first" value={view.since} onChange={(event) => setQuery({ since: event.currentTarget.value, after: "" }, true)}>
        {durations.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
        {!known && <option value={view.since}>{/^\d{4}-/.test(view.since) ? "from a moment on" : view.since}</option>}
      </select>
    </span>
  );
}

interface Props {
  settings: Settings;
  change: (what: Partial<Settings>) => void;
  download: () => void;
}

export function Look({ settings, change, download }: Props) {
  const menu = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const elsewhere = (event: Event) => {
      const left = event instanceof KeyboardEvent ? event.key === "Escape" : !menu.current?.contains(event.target as Node);
      if (left && menu.current?.open) menu.current.open = false;
    };
    document.addEventListener("pointerdown", elsewhere);
    document.addEventListener("keydown", elsewhere);
    return () => {
      document.removeEventListener("pointerdown", elsewhere);
      document.removeEventListener("keydown", elsewhere);
    };
  }, []);
  return (
    <details class="tail-look" ref={menu}>
      <summary class="button">View</summary>
      <div>
        <label>
          Times{" "}
          <select value={settings.time} onChange={(event) => change({ time: event.currentTarget.value as TimeForm })}>
            <option value="local">local time</option>
            <option value="utc">UTC</option>
            <option value="relative">time ago</option>
          </select>
        </label>
        <label>
          <input type="checkbox" checked={settings.wrap} onChange={() => change({ wrap: !settings.wrap })} /> Wrap long lines
        </label>
        <label>
          <input type="checkbox" checked={settings.raw} onChange={() => change({ raw: !settings.raw })} /> Escape sequences as text
        </label>
        <button type="button" onClick={download}>
          Download what shows
        </button>
      </div>
    </details>
  );
}
