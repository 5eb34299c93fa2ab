// What the API answers, as docs/console.md, docs/api.md and docs/drains.md have it. Times are RFC 3339, durations seconds.

export interface Who {
  user: string | null;
  permissions: string[];
  by?: "cookie" | "basic";
  version: string;
  api_state: "normal" | "read_only" | "disabled";
}

export type DrainState = "pending" | "ok" | "failing" | "paused";
export type StateCounts = Record<DrainState, number>;
export type Dropped = Record<string, number>;
export type Trouble = "losing" | "failing" | "errors" | "slow" | "lagging";

export interface OverviewRow {
  channel: string;
  name: string;
  troubles: Trouble[];
  records_per_second: number | null;
  requests_per_second: number | null;
  p50: number | null;
  p95: number | null;
  p99: number | null;
  error_share: number | null;
  slow_since: string | null;
  errors_since: string | null;
  slow_dynos: { dyno: string; p95: number }[];
  drains: StateCounts;
  failing_since: string | null;
  lag_records: number;
  lag_seconds: number;
  dropped: Dropped;
  lost_at: string | null;
}

export interface Overview {
  now: string;
  total: number;
  matching: number;
  records_per_second: number | null;
  drains: StateCounts;
  channels: OverviewRow[];
}

export interface MetricPoint {
  time: string;
  count: number;
  sum: number;
  min: number;
  max: number;
  mean: number;
  median: number;
  p95: number;
  p99: number;
  last: number;
}

export interface MetricSeries {
  name: string;
  source: string;
  unit: string;
  kind?: string; // router, router_dyno, router_host, measure, count, sample, dyno_memory, dyno_load, …
  points: MetricPoint[];
}

export interface Metrics {
  from: string;
  to: string;
  step: number;
  whole_from?: string;
  series: MetricSeries[];
  events?: PlatformEvent[];
  late: number;
}

export interface PlatformEvent {
  time: string;
  event: string;
  procid: string;
  text: string;
}

export interface Drain {
  id: number;
  token: string;
  url?: string; // none: reserved
  state?: DrainState;
  since?: string;
  paused?: boolean; // by its owner
  options?: Record<string, unknown>;
}

export interface DeadLetter {
  number: number;
  refused_at: string;
  cause: string;
  bytes: number; // of the whole record, of which `record` may be the beginning
  record: string;
}

export interface DrainTest {
  ok: boolean;
  status?: number;
  steps: { step: "resolve" | "connect" | "handshake" | "send"; seconds: number; ok: boolean; outcome: string }[];
}

export interface LostRange {
  first: number;
  records: number;
  since: string;
  until: string;
  reason: string;
}

export interface DrainHealth {
  id: number;
  token: string;
  url: string;
  state: DrainState;
  cause: string | null;
  since: string;
  last_status: number | null;
  last_error: string | null;
  next_try: string | null;
  lag_records: number;
  lag_seconds: number;
  accepted: number;
  delivered: number;
  filtered: number;
  dropped: Dropped;
  lost: LostRange[];
  dead_letters: number;
  answers: number;
  answer_seconds: { p50?: number; p99?: number };
}

export interface DrainHistory {
  from: string;
  to: string;
  step: number;
  whole_from: string;
  points: {
    time: string;
    state: DrainState;
    delivered: number;
    filtered: number;
    dropped: Dropped;
    buffered: number;
    lag_seconds: number;
    answers: number;
    p50?: number | null;
    p99?: number | null;
  }[];
}

export interface TailLine {
  seq: number;
  time: string;
  app: string;
  procid: string;
  msgid: string | null;
  host: string;
  severity: string;
  facility: string;
  message: string;
}

export interface System {
  version: string;
  commit: string;
  started_at: string;
  now: string;
  ready: { ok: boolean; reasons: string[] };
  api_state: string;
  threads: { name: string; cpu_seconds: number; cpu_share: number | null }[];
  connections: Record<string, number>;
  open_files: { used: number; bound: number };
  memory: { resident: number; bound: number; parts: { name: string; used: number; bound: number | null; unit?: string }[] };
  disk: { directory: string; used: number; bound: number; free: number; segments: number } | null;
  ledger: { accepted: number; delivered: number; filtered: number; dropped: Dropped; buffered: number; balanced: boolean };
  ingest: { protocol: string; accepted: number; bytes: number; rejected: Record<string, number> }[];
  tails: { open: number; skipped: number };
}
