// States in words, with a shape and a colour beside them, never a colour alone.
import type { DrainState } from "../api/types";

export type Tone = "good" | "quiet" | "warn" | "bad";
const shapes: Record<Tone, string> = { good: "●", quiet: "○", warn: "▲", bad: "■" };

export function Badge({ tone, children }: { tone: Tone; children: string }) {
  return (
    <span class={`badge ${tone}`}>
      <span aria-hidden="true">{shapes[tone]}</span> {children}
    </span>
  );
}

const tones: Record<DrainState, Tone> = { ok: "good", pending: "quiet", failing: "bad", paused: "warn" };
export function DrainBadge({ state }: { state: DrainState }) {
  return <Badge tone={tones[state]}>{state}</Badge>;
}
