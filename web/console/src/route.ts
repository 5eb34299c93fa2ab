// Where somebody is, in the URL's fragment: `#/channels/shop/logs?ps=web`. A copied URL shows the same view.
import { useEffect, useState } from "preact/hooks";

export type ChannelTab = "logs" | "metrics" | "drains";

export type Place =
  | { page: "overview" }
  | { page: "system" }
  | { page: "channel"; channel: string; tab: ChannelTab }
  | { page: "unknown" };

/** `query` holds what a page keeps of its state; empty values are left out of the URL. */
export interface Route {
  place: Place;
  query: URLSearchParams;
}

const tabs: readonly string[] = ["logs", "metrics", "drains"];

function decoded(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}

export function parseRoute(hash: string): Route {
  const [path = "", search = ""] = hash.replace(/^#/, "").split(/\?(.*)/s);
  const query = new URLSearchParams(search);
  const [first = "", id = "", tab = "logs", ...rest] = path.split("/").filter(Boolean);
  if (first === "") return { place: { page: "overview" }, query };
  if (first === "system" && id === "") return { place: { page: "system" }, query };
  const channel = decoded(id);
  if (first === "channels" && channel && tabs.includes(tab) && rest.length === 0)
    return { place: { page: "channel", channel, tab: tab as ChannelTab }, query };
  return { place: { page: "unknown" }, query };
}

export function pathOf(place: Place): string {
  if (place.page === "system") return "#/system";
  if (place.page === "channel") return `#/channels/${encodeURIComponent(place.channel)}/${place.tab}`;
  return "#/";
}

export function linkTo(place: Place, query: Record<string, string> = {}): string {
  const kept = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ""));
  const text = kept.toString();
  return pathOf(place) + (text ? `?${text}` : "");
}

/** Changes some of the query of where one is; an empty value or list removes it. `push`: the back button undoes it. */
export function setQuery(changes: Record<string, string | string[]>, push = false): void {
  const { place, query } = parseRoute(location.hash);
  for (const [name, value] of Object.entries(changes)) {
    query.delete(name);
    for (const one of Array.isArray(value) ? value : [value]) if (one !== "") query.append(name, one);
  }
  const text = query.toString();
  const hash = pathOf(place) + (text ? `?${text}` : "");
  if (hash === location.hash || (hash === "#/" && location.hash === "")) return;
  history[push ? "pushState" : "replaceState"](null, "", hash);
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const changed = () => setRoute(parseRoute(location.hash));
    window.addEventListener("hashchange", changed);
    return () => window.removeEventListener("hashchange", changed);
  }, []);
  return route;
}
