// A command to copy.
import { useId, useRef, useState } from "preact/hooks";

export function Command({ text }: { text: string }) {
  const [done, setDone] = useState("");
  const code = useRef<HTMLElement>(null);
  const id = useId();
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setDone("Copied");
    } catch {
      // Browsers lend the clipboard to pages that came by TLS or from this machine alone.
      getSelection()?.selectAllChildren(code.current!);
      setDone("Selected");
    }
    window.setTimeout(() => setDone(""), 2000);
  };
  return (
    <div class="command">
      <pre tabIndex={0}>
        <code ref={code} id={id}>
          {text}
        </code>
      </pre>
      <button type="button" aria-describedby={id} onClick={copy}>
        {done || "Copy"}
      </button>
    </div>
  );
}
