// One uPlot on one element, from a spec. Owns its canvas, observer and listeners; `destroy` leaves nothing behind.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { axesOf, axisWidth, rowHeight, rowsOf, valueRange } from "./axes";
import { stacked, type Column } from "./columns";
import type { Crosshair } from "./crosshair";
import { paintEvents, paintRows, paintUnknown } from "./paint";
import { Palette } from "./palette";
import type { ChartSpec, Line } from "./specs";
import { indexOf, stepCount, timeAt, type Stretch } from "./stretch";

export interface Drawing {
  spec: ChartSpec;
  stretch: Stretch;
  hidden: ReadonlySet<string>; // keys of lines
  events: number[]; // their times, in order
}

const lineHeight = 170;

/** What uPlot draws: a value at the middle of its step; of a stack the highest first, so that each covers what is above it. */
function dataOf({ spec, stretch, hidden }: Drawing, lines: Line[]): uPlot.AlignedData {
  const times = Array.from({ length: stepCount(stretch) }, (_, index) => timeAt(stretch, index) + stretch.step / 2);
  let columns: Column[] = lines.map((line) => line.values);
  if (spec.shape === "stacked") {
    const none: Column = times.map(() => null);
    columns = stacked(lines.map((line) => (hidden.has(line.key) ? none : line.values)).reverse()).reverse();
  }
  return [times, ...columns];
}

export class Plot {
  private readonly palette: Palette;
  private readonly observer: ResizeObserver;
  private readonly ending: (() => void)[] = [];
  private plot?: uPlot;
  private drawn!: Drawing;
  private hovered = false;
  private shape = ""; // of what `plot` was made for

  constructor(
    private readonly host: HTMLElement,
    private readonly crosshair: Crosshair,
    drawing: Drawing,
  ) {
    this.palette = new Palette(host);
    this.observer = new ResizeObserver(() => this.resize());
    this.update(drawing);
    this.observer.observe(host);
    const recolour = () => (this.palette.forget(), this.plot?.redraw(false));
    window.addEventListener("themechange", recolour);
    this.ending.push(() => window.removeEventListener("themechange", recolour));
    this.ending.push(crosshair.listen((_, from) => from !== this && this.follow()));
    host.addEventListener("mouseenter", this.entered);
    host.addEventListener("mouseleave", this.left);
    this.ending.push(() => host.removeEventListener("mouseenter", this.entered), () => host.removeEventListener("mouseleave", this.left));
  }

  get drawing(): Drawing {
    return this.drawn;
  }

  update(drawing: Drawing): void {
    this.drawn = drawing;
    const shape = [drawing.spec.shape, drawing.spec.unit, ...this.lines().flatMap((line) => [line.key, line.text, line.colour])].join("\n");
    if (this.plot && shape === this.shape) {
      const { plot } = this;
      plot.batch(() => {
        this.lines().forEach((line, index) => {
          const show = !drawing.hidden.has(line.key);
          if (plot.series[index + 1]!.show !== show) plot.setSeries(index + 1, { show });
        });
        plot.setData(dataOf(drawing, this.lines()));
      });
      if (drawing.spec.shape === "rows") this.resize();
    } else {
      this.plot?.destroy();
      this.shape = shape;
      this.plot = new uPlot(this.options(), dataOf(drawing, this.lines()), this.host);
    }
    queueMicrotask(() => this.hovered || this.follow()); // uPlot sets its scales in one that was queued before
  }

  destroy(): void {
    this.observer.disconnect();
    for (const end of this.ending) end();
    this.plot?.destroy();
    this.plot = undefined;
    this.host.replaceChildren();
  }

  /** In the order in which uPlot draws them. */
  private lines(): Line[] {
    const { spec } = this.drawn;
    return spec.shape === "stacked" ? [...spec.lines].reverse() : spec.lines;
  }

  private height(): number {
    const { spec, hidden } = this.drawn;
    if (spec.shape !== "rows") return lineHeight;
    return 36 + rowHeight * Math.max(1, spec.lines.filter((line) => !hidden.has(line.key)).length);
  }

  private resize(): void {
    const width = this.host.clientWidth;
    const height = this.height();
    if (!this.plot || width === 0 || (width === this.plot.width && height === this.plot.height)) return;
    this.plot.setSize({ width, height });
    queueMicrotask(() => this.hovered || this.follow());
  }

  private readonly entered = () => void (this.hovered = true);
  private readonly left = () => {
    this.hovered = false;
    this.crosshair.point(null, this);
    this.follow();
  };

  /** Puts the crosshair where the page's is. */
  private follow(): void {
    const { plot } = this;
    if (!plot) return;
    const index = indexOf(this.drawn.stretch, this.crosshair.time);
    if (index === null) plot.setCursor({ left: -10, top: -10 }, false);
    else plot.setCursor({ left: plot.valToPos(plot.data[0]![index]!, "x"), top: 1 }, false);
  }

  private series(line: Line): uPlot.Series {
    const { spec, hidden } = this.drawn;
    const colour = () => this.palette.colour(line.colour);
    const shared = { label: line.text, show: !hidden.has(line.key), stroke: colour };
    if (spec.shape === "rows") return { ...shared, paths: () => null, points: { show: false } };
    if (spec.shape === "stacked")
      return { ...shared, fill: colour, width: 0, points: { show: false }, paths: uPlot.paths.bars!({ size: [0.86, Infinity, 1] }) };
    // A value between two gaps has no line: it is drawn as a point.
    const alone: uPlot.Series.Points = { size: 5, fill: colour, show: true, filter: (plot, index) => lonely(plot.data[index] as Column) };
    return { ...shared, width: 1.5, dash: line.dash ? [6, 4] : undefined, points: alone };
  }

  private options(): uPlot.Options {
    const { spec } = this.drawn;
    const rows = spec.shape === "rows";
    return {
      width: Math.max(1, this.host.clientWidth || 300),
      height: this.height(),
      padding: [rows ? 10 : 12, 20, 0, 0],
      legend: { show: false },
      series: [{}, ...this.lines().map((line) => this.series(line))],
      scales: {
        x: { time: true, range: () => [this.drawn.stretch.from, this.drawn.stretch.to] },
        y: rows
          ? { dir: -1, range: (plot) => [0, Math.max(1, rowsOf(plot).length)] }
          : { range: (_plot, _min, most) => valueRange(most) },
      },
      axes: axesOf(spec, this.palette).map((axis, index) => (index === 1 ? { ...axis, size: axisWidth } : axis)),
      cursor: {
        y: false,
        drag: { x: false, y: false, setScale: false, click: () => {} }, // without the last, clicks are taken for drags
        points: spec.shape === "lines" ? { size: 7, width: 0 } : { show: false },
        move: (plot, left, top) => (left < 0 ? [left, top] : [plot.valToPos(plot.data[0]![plot.posToIdx(left)] ?? 0, "x"), top]),
      },
      hooks: {
        drawClear: [(plot) => paintUnknown(plot, this.drawn.stretch, this.palette)],
        draw: [
          (plot) => {
            if (rows) paintRows(plot, this.drawn.stretch, this.lines().map((line) => this.palette.colour(line.colour)));
            paintEvents(plot, this.drawn.events, this.palette);
          },
        ],
        setCursor: [(plot) => this.pointed(plot)],
      },
    };
  }

  /** uPlot says so too when it has only drawn anew. */
  private pointed(plot: uPlot): void {
    if (!this.hovered) return;
    const { idx, left = -1 } = plot.cursor;
    const outside = left < 0 || idx === null || idx === undefined;
    this.crosshair.point(outside ? null : timeAt(this.drawn.stretch, idx), this);
  }
}

/** Where a value stands alone. */
function lonely(values: Column): number[] {
  const known = (index: number) => (values[index] ?? null) !== null;
  return values.flatMap((_, index) => (known(index) && !known(index - 1) && !known(index + 1) ? [index] : []));
}
