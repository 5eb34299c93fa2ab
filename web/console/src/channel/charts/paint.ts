// What is painted on a chart besides its series.
import type uPlot from "uplot";
import type { Palette } from "./palette";
import { rowsOf } from "./axes";
import type { Stretch } from "./stretch";

const clipped = (plot: uPlot, draw: (context: CanvasRenderingContext2D) => void) => {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  draw(ctx);
  ctx.restore();
};

/** Hatched: times of which something may be missing. */
export function paintUnknown(plot: uPlot, stretch: Stretch, palette: Palette): void {
  if (stretch.wholeFrom <= stretch.from) return;
  const { bbox } = plot;
  const end = Math.min(bbox.left + bbox.width, plot.valToPos(stretch.wholeFrom, "x", true));
  if (end <= bbox.left) return;
  clipped(plot, (context) => {
    context.beginPath();
    context.rect(bbox.left, bbox.top, end - bbox.left, bbox.height);
    context.fillStyle = palette.colour("raised");
    context.fill();
    context.clip();
    context.strokeStyle = palette.colour("line");
    context.lineWidth = devicePixelRatio;
    const gap = 10 * devicePixelRatio;
    context.beginPath();
    for (let x = bbox.left - bbox.height; x < end; x += gap) {
      context.moveTo(x, bbox.top + bbox.height);
      context.lineTo(x + bbox.height, bbox.top);
    }
    context.stroke();
  });
}

/** The platform's events, as lines through the chart and, in rows, as marks above them. */
export function paintEvents(plot: uPlot, times: number[], palette: Palette): void {
  if (times.length === 0) return;
  clipped(plot, (context) => {
    context.strokeStyle = palette.colour("series-2");
    context.fillStyle = palette.colour("series-2");
    context.lineWidth = devicePixelRatio;
    context.setLineDash([2 * devicePixelRatio, 4 * devicePixelRatio]);
    const { bbox } = plot;
    let before = -Infinity;
    for (const time of times) {
      const x = Math.round(plot.valToPos(time, "x", true)) + 0.5;
      if (x - before < 2) continue; // many at once are one line
      before = x;
      context.beginPath();
      context.moveTo(x, bbox.top);
      context.lineTo(x, bbox.top + bbox.height);
      context.stroke();
      const size = 4 * devicePixelRatio;
      context.beginPath();
      context.moveTo(x - size, bbox.top);
      context.lineTo(x + size, bbox.top);
      context.lineTo(x, bbox.top + 1.6 * size);
      context.fill();
    }
  });
}

/** A row per series, a cell where something came; full strength is the row's greatest. */
export function paintRows(plot: uPlot, stretch: Stretch, colours: string[]): void {
  clipped(plot, (context) => {
    rowsOf(plot).forEach((series, row) => {
      const at = plot.series.indexOf(series);
      const values = plot.data[at] as (number | null)[];
      const most = values.reduce<number>((max, value) => Math.max(max, value ?? 0), 0);
      const top = plot.valToPos(row, "y", true);
      const height = plot.valToPos(row + 1, "y", true) - top;
      const inset = Math.max(1, Math.round(height * 0.14));
      context.fillStyle = colours[at - 1] ?? "";
      values.forEach((value, index) => {
        if (!value) return;
        const left = plot.valToPos(stretch.from + index * stretch.step, "x", true);
        const right = plot.valToPos(stretch.from + (index + 1) * stretch.step, "x", true);
        const width = Math.max(3 * devicePixelRatio, right - left - devicePixelRatio);
        context.globalAlpha = 0.45 + 0.55 * (value / most);
        context.fillRect(left, top + inset, width, height - 2 * inset);
      });
    });
  });
}
