// Addresses under which a chart is a file.
import { at, withQuery } from "../../api/client";
import type { ChartSpec } from "./specs";
import type { Range } from "./stretch";

export type FileForm = "csv" | "svg";

const mostLines = 32; // of a picture

/** Whether the router draws that many lines. */
export const drawable = ({ file }: ChartSpec) => file.names.length * file.show.length * Math.max(1, file.sources) <= mostLines;

export function fileAddress(channel: string, { file }: ChartSpec, range: Range, form: FileForm): string {
  const query = { format: form, from: range.id, step: range.step, name: file.names, show: form === "svg" ? file.show.join(",") : undefined };
  const path = withQuery(at`/v3/channels/${channel}/metrics`, query);
  return file.sources === 0 ? `${path}&source=` : path; // an empty source is that of series without one
}

/** A name that any file system takes. */
export function fileName(channel: string, spec: ChartSpec, range: Range, form: FileForm): string {
  const plain = (text: string) => text.replace(/[^A-Za-z0-9._-]+/g, "-").slice(0, 60);
  return `${plain(channel)}-${spec.id === "own" ? plain(spec.title) : spec.id}-${range.id}.${form}`;
}

/** What `POST …/links` signs: the same query, asked anew whenever somebody opens it. */
export function linkQuery({ file }: ChartSpec, range: Range) {
  const query = { name: file.names, from: range.id, to: "0s", step: `${range.step / 60}m`, show: file.show };
  return file.sources === 0 ? { ...query, source: "" } : query;
}

/** The signed link in one of its forms. */
export function linkIn(url: string, form: FileForm | "json"): string {
  return form === "json" ? url : `${url}${url.includes("?") ? "&" : "?"}format=${form}`;
}
