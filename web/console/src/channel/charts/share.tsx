// Makes a signed link to one chart, which shows it to whoever has it until it ends.
import { useState } from "preact/hooks";
import { ApiError, at, post } from "../../api/client";
import { Command } from "../../ui/command";
import { Dialog } from "../../ui/dialog";
import { moment } from "../../ui/time";
import { drawable, linkIn, linkQuery, type FileForm } from "./exports";
import type { ChartSpec } from "./specs";
import type { Range } from "./stretch";

const forms: [FileForm | "json", string][] = [
  ["svg", "Chart (SVG)"],
  ["csv", "Table (CSV)"],
  ["json", "Data (JSON)"],
];
const ends: [string, string][] = [
  ["1h", "an hour"],
  ["24h", "a day"],
  ["168h", "a week"],
  ["720h", "30 days"],
];

interface Link {
  url: string;
  expires: string;
}

export function Share({ channel, spec, range, close }: { channel: string; spec: ChartSpec; range: Range; close: () => void }) {
  const [form, setForm] = useState<FileForm | "json">(drawable(spec) ? "svg" : "csv");
  const [expires, setExpires] = useState("24h");
  const [link, setLink] = useState<Link>();
  const [said, setSaid] = useState("");
  const [busy, setBusy] = useState(false);
  const make = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setSaid("");
    try {
      setLink(await post<Link>(at`/v3/channels/${channel}/links`, { query: linkQuery(spec, range), expires }));
    } catch (error) {
      setSaid(error instanceof ApiError ? error.message : String(error));
    }
    setBusy(false);
  };
  return (
    <Dialog title={`Share: ${spec.title}`} close={close}>
      <form class="metrics-share" onSubmit={make}>
        <p>
          Whoever has the link sees this chart's last {range.text} as they are then, and nothing else, without signing in.
        </p>
        <div class="metrics-choices">
          <label>
            As
            <select value={form} onChange={(event) => setForm(event.currentTarget.value as typeof form)}>
              {forms.filter(([id]) => id !== "svg" || drawable(spec)).map(([id, text]) => (
                <option key={id} value={id}>
                  {text}
                </option>
              ))}
            </select>
          </label>
          <label>
            For
            <select value={expires} onChange={(event) => (setExpires(event.currentTarget.value), setLink(undefined))}>
              {ends.map(([id, text]) => (
                <option key={id} value={id}>
                  {text}
                </option>
              ))}
            </select>
          </label>
        </div>
        {link ? (
          <>
            <Command text={linkIn(link.url, form)} />
            <p class="hint" role="status">
              It ends on {moment(link.expires, new Date(0))}, with its channel, and with the credential that made it.
            </p>
          </>
        ) : (
          <button type="submit" class="primary" disabled={busy}>
            Make the link
          </button>
        )}
        <p class="form-error" role="alert">
          {said}
        </p>
      </form>
    </Dialog>
  );
}
