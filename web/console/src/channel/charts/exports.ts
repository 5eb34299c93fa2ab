// Addresses under which a chart is a file.
import { at, withQuery } from "../../api/client";
import type { ChartSpec } from "./specs";
import type { Range } from "./stretch";

export type FileForm = "csv" | "svg";

export function fileAddress(channel: string, spec: ChartSpec, range: Range, form: FileForm): string {
  return withQuery(at`/v3/channels/${channel}/metrics`, {
    format: form,
    from: range.id,
    step: range.step,
    name: spec.names,
    show: form === "svg" ? spec.show.join(",") : undefined,
  });
}

/** A name that any file system takes. */
export function fileName(channel: string, spec: ChartSpec, range: Range, form: FileForm): string {
  const plain = (text: string) => text.replace(/[^A-Za-z0-9._-]+/g, "-").slice(0, 60);
  return `${plain(channel)}-${spec.id === "own" ? plain(spec.title) : spec.id}-${range.id}.${form}`;
}

/** What `POST …/links` signs: the same query, asked anew whenever somebody opens it. */
export function linkQuery(spec: ChartSpec, range: Range) {
  return { name: spec.names, source: "", from: range.id, to: "0s", step: `${range.step / 60}m`, show: spec.show };
}

/** The signed link in one of its forms. */
export function linkIn(url: string, form: FileForm | "json"): string {
  return form === "json" ? url : `${url}${url.includes("?") ? "&" : "?"}format=${form}`;
}
