// Where rows stand that are of different height and mostly never drawn.

/** Rows that were not measured count as high as the first that was. */
export class Heights {
  private measured: (number | undefined)[] = [];
  private tops: number[] = [0];
  private stale = false;
  private learned = false;

  constructor(
    private count: number,
    private standard: number,
  ) {
    this.resize(count);
  }

  resize(count: number): void {
    if (count === this.count && this.tops.length === count + 1) return;
    this.count = count;
    this.measured.length = Math.min(this.measured.length, count);
    this.stale = true;
  }

  /** Forgets what was measured, as when the width changed. */
  forget(): void {
    this.measured = [];
    this.learned = false;
    this.stale = true;
  }

  /** By how much the row grew. */
  set(index: number, height: number): number {
    const grown = height - (this.measured[index] ?? this.standard);
    if (Math.abs(grown) < 0.5 && this.measured[index] !== undefined) return 0;
    this.measured[index] = height;
    this.stale = true;
    return Math.abs(grown) < 0.5 ? 0 : grown;
  }

  /** A usual row's height, of the first that were measured. */
  learn(height: number): void {
    if (this.learned) return;
    this.learned = true;
    this.standard = height;
    this.stale = true;
  }

  top(index: number): number {
    this.sum();
    return this.tops[Math.max(0, Math.min(index, this.count))]!;
  }

  get total(): number {
    return this.top(this.count);
  }

  /** The row at a distance from the top of the first; the nearest, if there is none. */
  at(y: number): number {
    this.sum();
    let low = 0;
    let high = this.count;
    while (low + 1 < high) {
      const middle = (low + high) >> 1;
      if (this.tops[middle]! <= y) low = middle;
      else high = middle;
    }
    return low;
  }

  private sum(): void {
    if (!this.stale && this.tops.length === this.count + 1) return;
    this.tops = new Array<number>(this.count + 1);
    this.tops[0] = 0;
    for (let i = 0; i < this.count; ++i) this.tops[i + 1] = this.tops[i]! + (this.measured[i] ?? this.standard);
    this.stale = false;
  }
}
