// Which sources and dynos have been seen, the most frequent first; bounded.

const most = 200; // names of each kind that are counted
const { compare } = new Intl.Collator("en", { numeric: true }); // web.2 before web.10

class Names {
  private counts = new Map<string, number>();

  add(name: string): void {
    const count = this.counts.get(name);
    if (count === undefined && this.counts.size >= most) this.forget();
    this.counts.set(name, (count ?? 0) + 1);
  }
  /** The rarest half goes. */
  private forget(): void {
    const kept = [...this.counts].sort((a, b) => b[1] - a[1]).slice(0, most / 2);
    this.counts = new Map(kept);
  }
  first(count: number): string[] {
    return [...this.counts]
      .sort((a, b) => b[1] - a[1] || compare(a[0], b[0]))
      .slice(0, count)
      .map(([name]) => name);
  }
}

export class Seen {
  private apps = new Names();
  private procids = new Names();

  add(app: string, procid: string): void {
    if (app) this.apps.add(app);
    if (!procid || procid === "-") return;
    this.procids.add(procid);
    // `web` stands for all of web.1, web.2, …
    const type = /^([^.]+)\.\d+$/.exec(procid)?.[1];
    if (type) this.procids.add(type);
  }
  sources = (count: number) => this.apps.first(count);
  dynos = (count: number) => this.procids.first(count);
}
