// All of one record, below its row.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Line } from "./buffer";
import { partsOf } from "./pairs";
import { fillMessage, plainLine, type Look } from "./row";
import { pairTerm } from "./terms";

/** `source`, `ps`: of the URL; `term`: one more for its filter. */
export interface Narrow {
  source?: string;
  ps?: string;
  term?: string;
}

const mostText = 100_000; // characters
const askable = (name: string) => /^[^-@/("<>=!~\s][^"<>=!~\s]*$/.test(name);

function Copy({ text }: { text: string }) {
  const [said, setSaid] = useState("Copy line");
  const copy = () =>
    void (navigator.clipboard ? navigator.clipboard.writeText(text) : Promise.reject(new Error())).then(
      () => setSaid("Copied"),
      () => setSaid("Not permitted"),
    );
  return (
    <button type="button" onClick={copy}>
      {said}
    </button>
  );
}

function Part({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      {children}
    </tr>
  );
}

export function Details({ line, raw, narrow }: { line: Line; raw: boolean; narrow: (to: Narrow) => void }) {
  const { kind, parts } = partsOf(line.message);
  const fields: [string, string][] = [
    ["number", String(line.seq)],
    ["time", line.time],
    ["app", line.app],
    ["procid", line.procid],
    ["severity", line.severity],
    ["facility", line.facility],
    ["host", line.host],
    ["msgid", line.msgid ?? ""],
  ];
  const look: Look = { needles: [], raw, wrap: true, time: "local" };
  const request = parts.find(([name]) => name === "request_id")?.[1];
  const named = line.procid !== "" && line.procid !== "-";
  return (
    <>
      <div class="tail-acts">
        <Copy text={plainLine(line)} />
        {line.app && (
          <button type="button" onClick={() => narrow({ source: line.app })}>
            Only this source
          </button>
        )}
        {named && (
          <button type="button" onClick={() => narrow({ ps: line.procid })}>
            Only this dyno
          </button>
        )}
        {kind === "pairs" && request !== undefined && (
          <button type="button" onClick={() => narrow({ term: pairTerm("request_id", request), source: "", ps: "" })}>
            Only this request_id
          </button>
        )}
      </div>
      <div class="tail-parts">
        <table>
          <caption>Record</caption>
          <tbody>
            {fields.map(([name, value]) => (
              <Part key={name} name={name}>
                <td>
                  <Text text={value} look={look} />
                </td>
              </Part>
            ))}
          </tbody>
        </table>
        {parts.length > 0 && (
          <table>
            <caption>{kind === "json" ? "JSON" : "Pairs"}</caption>
            <tbody>
              {parts.map(([name, value], i) => (
                <tr key={i}>
                  <th scope="row">
                    <Text text={name} look={look} />
                  </th>
                  <td>
                    <Text text={value} look={look} />
                  </td>
                  {kind === "pairs" && (
                    <td class="tail-only">
                      {askable(name) && (
                        <button type="button" class="plain" title={`Only lines with this ${name}`} onClick={() => narrow({ term: pairTerm(name, value) })}>
                          only
                        </button>
                      )}
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
      <pre class="tail-whole" tabIndex={0} aria-label="Message">
        <Text text={line.message} look={look} />
      </pre>
    </>
  );
}

function Text({ text, look }: { text: string; look: Look }) {
  const fill = (into: HTMLElement | null) => {
    if (!into) return;
    into.replaceChildren();
    fillMessage(into, text, look, mostText);
  };
  return <span class="tail-text" ref={fill} />;
}
