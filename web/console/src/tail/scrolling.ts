// What scrolling means: up pauses, down to the end again goes on, near an edge more rows come.
import type { Controller } from "./controller";

const near = 200; // pixels

/** Listens on the pane; the answer ends that. */
export function watchScrolling(controller: Controller): () => void {
  const { list } = controller;
  const { pane } = list;
  let before = 0;
  let byScroll = false; // that is how it was paused
  const fromEnd = () => pane.scrollHeight - pane.clientHeight - pane.scrollTop;

  const pause = () => {
    if (controller.paused) return;
    byScroll = true;
    controller.pause();
  };
  const scrolled = () => {
    const down = pane.scrollTop > before;
    const up = pane.scrollTop < before;
    before = pane.scrollTop;
    if (list.follow) {
      byScroll = false;
      if (up && fromEnd() > 8) pause();
      return;
    }
    if (up && pane.scrollTop < near && !list.atTop) list.shift(-500);
    else if (down && fromEnd() < near && !list.atEnd) list.shift(500);
    else if (down && fromEnd() < 4 && list.atEnd && byScroll && controller.paused) controller.resume();
    before = pane.scrollTop; // a shift moves it
  };
  // Before the next line can pull the pane down again.
  const wheeled = (event: WheelEvent) => event.deltaY < 0 && pane.scrollTop > 0 && pause();
  let touched = 0;
  const touchBegins = (event: TouchEvent) => (touched = event.touches[0]?.clientY ?? 0);
  const touchMoves = (event: TouchEvent) => (event.touches[0]?.clientY ?? 0) > touched + 4 && pane.scrollTop > 0 && pause();
  const selected = () => {
    const selection = getSelection();
    if (list.follow && selection && !selection.isCollapsed && pane.contains(selection.anchorNode)) controller.pause();
  };
  const resized = new ResizeObserver(() => list.follow && list.toBottom());

  pane.addEventListener("scroll", scrolled, { passive: true });
  pane.addEventListener("wheel", wheeled, { passive: true });
  pane.addEventListener("touchstart", touchBegins, { passive: true });
  pane.addEventListener("touchmove", touchMoves, { passive: true });
  document.addEventListener("selectionchange", selected);
  resized.observe(pane);
  return () => {
    pane.removeEventListener("scroll", scrolled);
    pane.removeEventListener("wheel", wheeled);
    pane.removeEventListener("touchstart", touchBegins);
    pane.removeEventListener("touchmove", touchMoves);
    document.removeEventListener("selectionchange", selected);
    resized.disconnect();
  };
}
