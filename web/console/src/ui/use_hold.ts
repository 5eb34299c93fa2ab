// Whether somebody is about to point at or type at a row.
import { useMemo, useRef, type MutableRef } from "preact/hooks";

const rest = 5000; // milliseconds after which a pointer that lies still holds nothing

export interface Hold {
  element: MutableRef<HTMLDivElement | null>;
  moves: () => void; // the pointer, over the element
  leaves: () => void;
  held: () => boolean; // the focus is in the element, or the pointer is and moved lately
}

export function useHold(): Hold {
  const element = useRef<HTMLDivElement>(null);
  return useMemo(() => {
    let moved = -Infinity;
    return {
      element,
      moves: () => void (moved = performance.now()),
      leaves: () => void (moved = -Infinity),
      held: () => !!element.current?.contains(document.activeElement) || performance.now() - moved < rest,
    };
  }, []);
}
