// How a test went, step by step.
import type { DrainTest } from "../api/types";
import { duration } from "../ui/figures";
import { outcomeText, testAdvice } from "./words";

const names: Record<string, string> = { resolve: "Resolve", connect: "Connect", handshake: "TLS handshake", send: "Send" };

export function TestSteps({ test }: { test: DrainTest }) {
  const advice = testAdvice(test);
  return (
    <div class="drains-test">
      <ol aria-label="Steps of the test">
        {test.steps.map((step) => (
          <li key={step.step} class={step.ok ? "good" : "bad"}>
            <span aria-hidden="true">{step.ok ? "✓" : "✕"}</span>
            <b>{names[step.step] ?? step.step}</b>
            <span class="number">{duration(step.seconds)}</span>
            <span class="drains-outcome">
              {step.ok ? "" : "failed: "}
              {outcomeText(step.outcome)}
            </span>
          </li>
        ))}
      </ol>
      {advice && <p>{advice}</p>}
    </div>
  );
}
