// A chart's figures, the newest first.
import { moment } from "../../ui/time";
import type { ChartSpec } from "./specs";
import { iso, stepCount, timeAt, type Stretch } from "./stretch";
import { valueText } from "./words";

export function Figures({ spec, stretch, hidden }: { spec: ChartSpec; stretch: Stretch; hidden: ReadonlySet<string> }) {
  const lines = spec.lines.filter((line) => !hidden.has(line.key));
  const steps = Array.from({ length: stepCount(stretch) }, (_, index) => stepCount(stretch) - 1 - index);
  const known = steps.filter((index) => lines.some((line) => (line.values[index] ?? null) !== null));
  return (
    <div class="metrics-figures" tabIndex={0} role="group" aria-label={`${spec.title}, figures`}>
      <table>
        <thead>
          <tr>
            <th scope="col">Step</th>
            {lines.map((line) => (
              <th key={line.key} scope="col" class="number">
                {line.text}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {known.map((index) => (
            <tr key={index}>
              <td>
                <time dateTime={iso(timeAt(stretch, index))} title={iso(timeAt(stretch, index))}>
                  {moment(timeAt(stretch, index) * 1000)}
                </time>
              </td>
              {lines.map((line) => (
                <td key={line.key} class="number">
                  {valueText(line.values[index], spec.unit)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
