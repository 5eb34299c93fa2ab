// What is drawn, and its values at the moment that is looked at. A click hides a series, and the axis follows.
import { exact } from "../../ui/figures";
import type { Page } from "./chart";
import { total } from "./columns";
import { useCrosshair } from "./crosshair";
import type { ChartSpec, Line } from "./specs";
import { iso, timeAt, type Stretch } from "./stretch";
import { shownStep, valueText } from "./words";

interface Props {
  page: Page;
  spec: ChartSpec;
  stretch: Stretch;
  hidden: ReadonlySet<string>;
  toggle: (key: string) => void;
}

export function Legend({ page, spec, stretch, hidden, toggle }: Props) {
  const index = shownStep(spec, stretch, useCrosshair(page.crosshair));
  const entry = (line: Line) => {
    const value = index === null ? null : (line.values[index] ?? null);
    return (
      <li key={line.key}>
        <button type="button" aria-pressed={!hidden.has(line.key)} title={line.title} onClick={() => toggle(line.key)}>
          <span class={line.dash ? "metrics-key dashed" : "metrics-key"} style={{ color: `var(--${line.colour})` }} aria-hidden="true" />
          {line.text}{" "}
          <span
            class="metrics-value"
            data-series={line.key}
            data-value={value ?? ""}
            data-time={index === null ? "" : iso(timeAt(stretch, index))}
          >
            {valueText(value, spec.unit)}
          </span>
          {spec.shape === "rows" && <span class="faint">of {exact(total(line.values))}</span>}
        </button>
      </li>
    );
  };
  return <ul class={spec.shape === "rows" ? "metrics-legend rows" : "metrics-legend"}>{spec.lines.map(entry)}</ul>;
}
