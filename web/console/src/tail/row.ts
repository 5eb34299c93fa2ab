// One entry as a list item. Everything from the router becomes text nodes.
import { exact, many } from "../ui/figures";
import type { Entry, Gap, Line, Notice } from "./buffer";
import { groundOf, inkOf, plainInkOn, type Rgb } from "./colour";
import { marked } from "./marks";
import { piecesOf, plainText, type Style } from "./sgr";
import { severityOf } from "./terms";
import { timeText, type TimeForm } from "./settings";

export interface Look {
  needles: string[]; // to be marked
  raw: boolean;
  wrap: boolean;
  time: TimeForm;
}

const mostShown = 2000; // characters of a message in its row; its details have all
export const palette = 12; // colours of sources, tail.css

/** The same source has the same colour, on every page and every day. */
export function colourOfSource(source: string): number {
  let hash = 2166136261;
  for (let i = 0; i < source.length; ++i) hash = Math.imul(hash ^ source.charCodeAt(i), 16777619);
  return (hash >>> 0) % palette;
}

function element<K extends keyof HTMLElementTagNameMap>(tag: K, name: string, text?: string): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
}

/** A dyno has its colour whoever speaks of it. */
export const colourOf = ({ app, procid }: { app: string; procid: string }) => colourOfSource(procid && procid !== "-" ? procid : app);
const sourceText = ({ app, procid }: Line | Notice) => plainText(procid && procid !== "-" ? `${app}[${procid}]` : app);

function setStyle(to: HTMLElement, style: Style): void {
  let { ink, ground } = style;
  if (style.inverse) {
    if (!ink && !ground) to.classList.add("tail-inverse");
    else [ink, ground] = [ground ?? plainInkOn(ink!), ink ?? ([128, 128, 128] as Rgb)];
  }
  if (ground) {
    to.style.backgroundColor = groundOf(ground);
    to.style.color = inkOf(ink ?? plainInkOn(ground), ground);
  } else if (ink) {
    to.style.color = inkOf(ink);
  } else if (style.dim) {
    to.classList.add("tail-dim");
  }
  if (style.bold) to.classList.add("tail-bold");
  if (style.italic) to.classList.add("tail-italic");
  if (style.underline) to.classList.add("tail-underline");
}

/** A message's text, styled, marked, and with a sign for each control. */
export function fillMessage(into: HTMLElement, message: string, look: Look, most = mostShown): void {
  const cut = message.length > most;
  const pieces = marked(piecesOf(cut ? message.slice(0, most) : message, look.raw), look.needles);
  for (const piece of pieces) {
    if (!piece.style && !piece.sign && !piece.marked) {
      into.append(piece.text);
      continue;
    }
    const part = element(piece.marked ? "mark" : "span", piece.sign ? "tail-sign" : "", piece.text);
    if (piece.style && !piece.marked) setStyle(part, piece.style);
    into.append(part);
    if (piece.sign && piece.text === "↵") into.append(element("span", "tail-newline", "\n"));
  }
  if (cut) into.append(element("span", "tail-sign", ` … ${exact(message.length - most)} characters more`));
}

function lineRow(entry: Line | Notice, look: Look): HTMLLIElement {
  const row = element("li", "tail-row");
  const line = element("div", "tail-line");
  if (entry.kind === "line") {
    row.dataset.seq = String(entry.seq);
    const open = element("button", "tail-open");
    open.type = "button";
    open.tabIndex = -1;
    open.setAttribute("aria-label", "Details");
    open.setAttribute("aria-expanded", "false");
    line.append(open);
  } else {
    row.classList.add("tail-notice");
  }
  const time = element("time", "tail-time", plainText(timeText(entry.time, look.time)));
  time.title = plainText(entry.time);
  const name = sourceText(entry);
  const source = element("span", `tail-source tail-s${colourOf(entry)}`, name);
  source.title = name;
  line.append(time, " ", source, " ");
  const severity = severityOf(entry.severity) ?? 6;
  if (severity <= 4 && entry.kind === "line") {
    row.classList.add(severity <= 3 ? "tail-bad" : "tail-warn");
    line.append(element("span", "tail-level", entry.severity), " ");
  }
  const message = element("span", "tail-message");
  fillMessage(message, entry.message, look);
  line.append(message);
  row.append(line);
  return row;
}

function gapRow(gap: Gap, look: Look): HTMLLIElement {
  const row = element("li", "tail-gap");
  row.dataset.count = String(gap.count);
  const time = element("time", "", timeText(gap.since, look.time));
  time.title = gap.since;
  const why = gap.by === "router" ? "the router had let them go before they could be read" : "let go by this page while it was paused";
  const what = gap.count === 0 ? "Lines may be missing" : `${many(gap.count, "line")} skipped`;
  row.append(element("strong", "", what), " since ", time, `: ${why}`);
  return row;
}

export const rowOf = (entry: Entry, look: Look) => (entry.kind === "gap" ? gapRow(entry, look) : lineRow(entry, look));

/** Of rows whose times count from now. */
export function retime(row: HTMLElement, entry: Entry, form: TimeForm): void {
  const time = row.querySelector("time");
  const text = timeText(entry.kind === "gap" ? entry.since : entry.time, form);
  if (time && time.textContent !== text) time.textContent = text;
}

/** As a text file has it. */
export function plainLine(entry: Entry): string {
  if (entry.kind === "gap") return `${entry.since} tailrace[page]: ${entry.count} lines skipped`;
  return `${entry.time} ${entry.app}[${entry.procid}]: ${entry.message}`;
}
