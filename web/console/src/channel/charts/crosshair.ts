// The moment that all charts of a page look at together.
import { useEffect, useState } from "preact/hooks";

type Listener = (time: number | null, from: unknown) => void;

/** A step's beginning; null: the newest. What is pointed at wins over what was pinned. */
export class Crosshair {
  private pointed: number | null = null;
  private pinned: number | null = null;
  private readonly listeners = new Set<Listener>();

  get time(): number | null {
    return this.pointed ?? this.pinned;
  }
  point(time: number | null, from: unknown = null): void {
    if (time === this.pointed) return;
    this.pointed = time;
    this.tell(from);
  }
  pin(time: number | null): void {
    if (time === this.pinned) return;
    this.pinned = time;
    this.tell(null);
  }
  /** Gives back what ends it. `from`: who pointed, and need not be told where. */
  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }
  private tell(from: unknown): void {
    for (const listener of this.listeners) listener(this.time, from);
  }
}

export function useCrosshair(crosshair: Crosshair): number | null {
  const [time, setTime] = useState(crosshair.time);
  useEffect(() => {
    setTime(crosshair.time);
    return crosshair.listen(setTime);
  }, [crosshair]);
  return time;
}
