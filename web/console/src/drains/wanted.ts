// What the form says a drain is to be, as the API takes it; and what the API says is wrong, by field.
import type { ApiError } from "../api/client";

export interface Wanted {
  url: string;
  since: string;
  format: string;
  filter: string;
  compression: string;
  headers: string; // `Name: value`, one per line
  batch_bytes: string;
  batch_delay: string;
  signing_secret: string;
  tls_ca: string;
}
export type Field = keyof Wanted | "form";
export type Wrong = Partial<Record<Field, string>>;

export const nothing: Wanted = {
  url: "", since: "", format: "logplex", filter: "", compression: "", headers: "", batch_bytes: "", batch_delay: "", signing_secret: "", tls_ca: "",
};

/** As far as one has typed it: options of HTTP are hidden for syslog alone. */
export const takesHttp = (url: string) => !/^\s*syslog/i.test(url);
export const takesTls = (url: string) => !/^\s*(?:http|syslog):/i.test(url);

function headersOf(text: string): Record<string, string> | string {
  const headers: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === "") continue;
    const [, name, value] = /^\s*([^:\s]+)\s*:\s*(.*?)\s*$/.exec(line) ?? [];
    if (!name || value === undefined) return "Each line is one field: Name: value";
    if (Object.keys(headers).some((other) => other.toLowerCase() === name.toLowerCase())) return "One of them stands twice.";
    headers[name] = value;
  }
  return headers;
}

/** The body of a request, without what was left empty; or what is wrong already. */
export function bodyOf(wanted: Wanted): { body: Record<string, unknown> } | { wrong: Wrong } {
  const url = wanted.url.trim();
  if (url === "") return { wrong: { url: "Where to? A URL is needed." } };
  const body: Record<string, unknown> = { url };
  const text = (name: keyof Wanted, value = wanted[name].trim()) => value !== "" && (body[name] = value);
  text("since");
  text("filter");
  if (wanted.format !== "logplex") text("format");
  if (takesHttp(url)) {
    if (wanted.compression === "gzip" || wanted.compression === "zstd") body[wanted.compression] = true;
    const headers = headersOf(wanted.headers);
    if (typeof headers === "string") return { wrong: { headers } };
    if (Object.keys(headers).length > 0) body.headers = headers;
    text("batch_bytes");
    text("batch_delay");
    text("signing_secret", wanted.signing_secret);
  }
  if (takesTls(url)) text("tls_ca");
  return { body };
}

const ofUrl: [beginning: string, told: string][] = [
  ["invalid_uri", "This is not a URL that a drain takes."],
  ["missing_url_param", "Where to? A URL is needed."],
  ["unknown_scheme", "A drain takes https://, http://, syslog+tls:// or syslog://."],
  ["address not allowed", "Drains may not reach this address; the router's TAILRACE_DRAIN_ALLOW makes exceptions."],
  ["invalid_tcpsyslog_uri", "A syslog URL has a host and a port, and no path or query."],
];
const fields: Record<string, Field> = {
  filter: "filter", format: "format", since: "since", headers: "headers", batch_bytes: "batch_bytes", batch_delay: "batch_delay",
  signing_secret: "signing_secret", tls_ca: "tls_ca", gzip: "compression", zstd: "compression",
};
const labels: Partial<Record<Field, string>> = { batch_bytes: "It", batch_delay: "It", signing_secret: "It", since: "It" };

/** Each trouble beside its field; what belongs to none of them under `form`. */
export function wrongOf(error: ApiError): Wrong {
  if (error.status === 409 && /drain/i.test(error.message)) return { form: error.message };
  if (error.status === 409) return { url: "The channel has a drain with this URL already." };
  if (error.status !== 422) return { form: error.message };
  if (/maximum number of drains/i.test(error.message))
    return { form: "The channel has as many drains as it may (TAILRACE_CHANNEL_DRAINS). Remove one first." };
  const text = error.message.replace(/^Invalid drain destination: /, "");
  const known = ofUrl.find(([beginning]) => text.startsWith(beginning));
  if (known) return { url: known[1] };
  const [, name = "", rest = ""] = /^([a-z_]+)(?:, [a-z_]+)*: (.*)$/s.exec(text) ?? [];
  const field = Object.hasOwn(fields, name) ? fields[name]! : undefined;
  if (field) return { [field]: labels[field] && rest.startsWith("takes") ? `${labels[field]} ${rest}.` : rest };
  return text === error.message ? { form: text } : { url: text };
}
