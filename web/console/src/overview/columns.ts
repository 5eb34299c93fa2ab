import type { Sort } from "./view";

export interface Column {
  id: string; // of its class
  head: string;
  sort?: Sort; // what a click on its head sorts by
  order?: "ascending" | "descending"; // which way that is
  number?: boolean;
  hint?: string;
}

export const columns: Column[] = [
  { id: "name", head: "Channel", sort: "name", order: "ascending" },
  { id: "trouble", head: "Trouble", sort: "worst", order: "descending", hint: "Worst first" },
  { id: "records", head: "Records/s", sort: "rate", order: "descending", number: true },
  { id: "requests", head: "Requests/s", number: true },
  { id: "p50", head: "p50", number: true, hint: "Half of the requests of the last minute took less" },
  { id: "p95", head: "p95", sort: "p95", order: "descending", number: true, hint: "95 % of the requests of the last minute took less" },
  { id: "errors", head: "Errors", sort: "errors", order: "descending", number: true, hint: "Requests that ended with 5xx or without a status" },
  { id: "drains", head: "Drains" },
  { id: "lag", head: "Lag", sort: "lag", order: "descending", number: true, hint: "How long the oldest record waits for its drain" },
  { id: "lost", head: "Lost", sort: "loss", order: "descending", number: true, hint: "Records that drains gave up" },
];
