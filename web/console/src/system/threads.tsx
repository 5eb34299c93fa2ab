import type { System } from "../api/types";
import { duration, share } from "../ui/figures";
import { Bar, fillOf } from "../ui/meter";

/** What each thread takes of a core. */
export function Threads({ threads }: { threads: System["threads"] }) {
  return (
    <section class="sheet" aria-labelledby="system-cpu">
      <h2 id="system-cpu">CPU by thread</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">Thread</th>
            <th scope="col">
              <span class="visually-hidden">As a bar</span>
            </th>
            <th scope="col" class="number">
              Of a core
            </th>
            <th scope="col" class="number">
              In all
            </th>
          </tr>
        </thead>
        <tbody>
          {threads.map(({ name, cpu_seconds, cpu_share }, i) => (
            <tr key={i}>
              <th scope="row">{name}</th>
              <td class="system-bar">
                <Bar part={cpu_share ?? 0} />
              </td>
              <td class={`number ${fillOf(cpu_share)}`}>
                {fillOf(cpu_share) && "busy, "}
                {share(cpu_share === null ? null : Math.round(cpu_share * 1000) / 1000)}
              </td>
              <td class="number">{duration(cpu_seconds)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
