// What shows, as a text file.
import type { Entry } from "./buffer";
import { plainLine } from "./row";

export function saveText(channel: string, entries: readonly Entry[]): void {
  const url = URL.createObjectURL(new Blob(entries.map((entry) => `${plainLine(entry)}\n`), { type: "text/plain;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${channel.replace(/[^A-Za-z0-9._-]+/g, "_").slice(0, 60)}-${new Date().toISOString().slice(0, 19).replace(/:/g, "")}.log`;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
