// Which rows show their details, and how one gets from row to row.
import { render } from "preact";
import type { Controller } from "./controller";
import { Details, type Narrow } from "./details";

/** Listens on the pane until close(). A click on a row that selects nothing opens it, and pauses. */
export class OpenRows {
  private open = new Map<HTMLElement, HTMLElement>();

  constructor(
    private readonly pane: HTMLElement,
    private readonly controller: Controller,
    private readonly raw: () => boolean,
    private readonly narrow: (to: Narrow) => void,
  ) {
    controller.list.onLeave = (item) => this.shut(item);
    pane.addEventListener("click", this.click);
    pane.addEventListener("keydown", this.key);
  }

  close(): void {
    for (const item of [...this.open.keys()]) this.shut(item);
    this.pane.removeEventListener("click", this.click);
    this.pane.removeEventListener("keydown", this.key);
  }

  private toggle(item: HTMLElement): void {
    if (this.open.has(item)) return this.shut(item);
    const line = this.controller.list.entryOf(item);
    if (line?.kind !== "line") return;
    this.controller.pause();
    const details = document.createElement("div");
    details.className = "tail-details";
    item.append(details);
    this.open.set(item, details);
    item.querySelector(".tail-open")?.setAttribute("aria-expanded", "true");
    render(<Details line={line} raw={this.raw()} narrow={this.narrow} />, details);
    item.scrollIntoView({ block: "nearest" });
  }

  private shut(item: HTMLElement): void {
    const details = this.open.get(item);
    if (!details) return;
    render(null, details);
    details.remove();
    this.open.delete(item);
    item.querySelector(".tail-open")?.setAttribute("aria-expanded", "false");
  }

  private click = (event: MouseEvent): void => {
    const target = event.target as Element;
    const line = target.closest<HTMLElement>(".tail-line");
    const item = line?.closest<HTMLElement>("li[data-seq]");
    const button = target.closest(".tail-open");
    if (!item || (!button && !getSelection()?.isCollapsed)) return;
    this.toggle(item);
  };

  private key = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target as HTMLElement;
    if (target === this.pane && event.key === "Enter") this.enter(event);
    const item = target.matches(".tail-open") ? target.closest<HTMLElement>("li") : null;
    const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (item && by) this.focus(this.controller.list.beside(item, by), event);
    else if (item && event.key === "Escape") this.pane.focus();
  };

  private enter(event: KeyboardEvent): void {
    this.controller.pause();
    this.focus(this.controller.list.newestVisible(), event);
  }

  private focus(item: HTMLElement | undefined, event: KeyboardEvent): void {
    event.preventDefault();
    const button = item?.querySelector<HTMLElement>(".tail-open");
    button?.focus({ preventScroll: true });
    button?.scrollIntoView({ block: "nearest" });
  }
}
