import type { System } from "../api/types";
import { bytes, count, exact } from "../ui/figures";
import { byReason } from "./account";
import { Reasons } from "./ledger";

/** What came in by which protocol, and what was not taken. `rate`: records per second by protocol. */
export function Ingest({ ingest, rate }: { ingest: System["ingest"]; rate: Record<string, number> }) {
  const refused = ingest.filter(({ rejected }) => byReason(rejected).length > 0);
  return (
    <section class="sheet system-wide" aria-labelledby="system-ingest">
      <h2 id="system-ingest">Ingest by protocol</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">Protocol</th>
            <th scope="col" class="number">
              Records/s
            </th>
            <th scope="col" class="number">
              Accepted
            </th>
            <th scope="col" class="number system-ingest-bytes">
              Bytes
            </th>
            <th scope="col" class="number">
              Rejected
            </th>
          </tr>
        </thead>
        <tbody>
          {ingest.map(({ protocol, accepted, bytes: size, rejected }) => {
            const all = byReason(rejected).reduce((sum, { records }) => sum + records, 0);
            return (
              <tr key={protocol}>
                <th scope="row">{protocol}</th>
                <td class="number">{count(rate[protocol])}</td>
                <td class="number">{exact(accepted)}</td>
                <td class="number system-ingest-bytes">{bytes(size)}</td>
                <td class={`number ${all > 0 ? "bad" : ""}`}>{exact(all)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {refused.map(({ protocol, rejected }) => (
        <p key={protocol} class="system-rejected">
          Rejected of {protocol}: <Reasons reasons={rejected} none="nothing" />
        </p>
      ))}
    </section>
  );
}
