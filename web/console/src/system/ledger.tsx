// The account of all drains, as the equation that it is.
import { Fragment } from "preact";
import type { System } from "../api/types";
import { Badge } from "../ui/badge";
import { exact, many } from "../ui/figures";
import { account, byReason } from "./account";

export function Reasons({ reasons, none }: { reasons: Record<string, number>; none: string }) {
  const some = byReason(reasons);
  if (some.length === 0) return <span class="faint">{none}</span>;
  return (
    <ul class="system-reasons">
      {some.map(({ name, records }) => (
        <li key={name}>
          {name} <b>{exact(records)}</b>
        </li>
      ))}
    </ul>
  );
}

export function Ledger({ ledger }: { ledger: System["ledger"] }) {
  const { terms, missing } = account(ledger);
  const holds = ledger.balanced && missing === 0;
  return (
    <section class="sheet system-wide" aria-labelledby="system-ledger">
      <h2 id="system-ledger">Ledger of all drains</h2>
      <p class="system-equation">
        <span class="system-term">
          <b>{exact(ledger.accepted)}</b> <small>accepted</small>
        </span>
        {terms.map(({ name, records }, i) => (
          <Fragment key={name}>
            <span class="system-sign">{i === 0 ? (missing === 0 ? " = " : " ≠ ") : " + "}</span>
            <span class={`system-term${name === "dropped" && records > 0 ? " bad" : ""}`}>
              <b>{exact(records)}</b> <small>{name}</small>
            </span>
          </Fragment>
        ))}
      </p>
      <p>
        {holds ? <Badge tone="good">adds up</Badge> : <Badge tone="bad">does not add up</Badge>}{" "}
        {missing !== 0 && `${many(Math.abs(missing), "record")} ${missing > 0 ? "unaccounted for" : "too many on the right"}. `}
        <span class="faint">accepted = delivered + filtered + dropped + buffered, at every moment. Each drain counts its channel's records for itself.</span>
      </p>
      <p class="system-dropped">
        Dropped by reason: <Reasons reasons={ledger.dropped} none="nothing was dropped" />
      </p>
    </section>
  );
}
