// A field of the form with what it takes and what is wrong with it beside it.
import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";

interface Given {
  label: string;
  hint?: ComponentChildren;
  wrong?: string;
  children: (props: { id: string; "aria-describedby": string; "aria-invalid": boolean }) => JSX.Element;
}

export function Field({ label, hint, wrong, children }: Given) {
  const id = useId();
  return (
    <div class="drains-field">
      <label for={id}>{label}</label>
      {children({ id, "aria-describedby": `${id}-told`, "aria-invalid": !!wrong })}
      <p id={`${id}-told`} class={wrong ? "bad" : "hint"} role={wrong ? "alert" : undefined}>
        {wrong ?? hint}
      </p>
    </div>
  );
}
