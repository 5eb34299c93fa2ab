// The page's colours, for a canvas.

/** What a token of style/tokens.css is now, in this theme; asked once for each until `forget`. */
export class Palette {
  private readonly known = new Map<string, string>();
  private readonly probe = document.createElement("span");

  constructor(host: HTMLElement) {
    this.probe.hidden = true;
    host.append(this.probe);
  }
  colour(token: string): string {
    let found = this.known.get(token);
    if (found === undefined) {
      this.probe.style.color = `var(--${token})`;
      found = getComputedStyle(this.probe).color;
      this.known.set(token, found);
    }
    return found;
  }
  forget(): void {
    this.known.clear();
  }
}
