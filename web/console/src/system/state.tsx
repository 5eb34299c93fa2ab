// Whether the router is ready, which it is, and what it is short of.
import type { System } from "../api/types";
import { Badge } from "../ui/badge";
import { clock, Since } from "../ui/time";
import { scarce } from "./account";

export function State({ system, at }: { system: System; at: number }) {
  const { ok, reasons } = system.ready;
  const full = scarce(system);
  return (
    <section class="sheet system-wide system-state" aria-label="State">
      <p>
        {ok ? <Badge tone="good">ready</Badge> : <Badge tone="bad">not ready</Badge>}{" "}
        {system.api_state !== "normal" && <Badge tone="warn">{`API ${system.api_state.replace("_", " ")}`}</Badge>}
        <span>
          version <b>{system.version}</b> <code>{system.commit}</code>
        </span>
        <span>
          up since <Since time={system.started_at} />
        </span>
        <span class="faint">as of {clock(at)}</span>
      </p>
      {(reasons.length > 0 || full.length > 0) && (
        <ul>
          {reasons.map((reason) => (
            <li key={reason} class="bad">
              {reason}
            </li>
          ))}
          {full.map((one) => (
            <li key={one} class="warn">
              {one}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
