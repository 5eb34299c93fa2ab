// A chart as a file, and as a link for somebody else.
import { useRef, useState } from "preact/hooks";
import type { Page } from "./chart";
import { drawable, fileAddress, fileName, type FileForm } from "./exports";
import { Share } from "./share";
import type { ChartSpec } from "./specs";

const formsOf = (spec: ChartSpec): FileForm[] => (drawable(spec) ? ["csv", "svg"] : ["csv"]);
const texts = { csv: "Table (CSV)", svg: "Chart (SVG)" };

export function Files({ page, spec, heading }: { page: Page; spec: ChartSpec; heading: string }) {
  const [sharing, setSharing] = useState(false);
  const { channel, range } = page;
  const menu = useRef<HTMLDetailsElement>(null);
  const summary = useRef<HTMLElement>(null);
  const close = () => menu.current?.removeAttribute("open");
  const shared = () => {
    setSharing(false);
    summary.current?.focus();
  };
  return (
    <>
      <details
        ref={menu}
        class="metrics-files"
        onFocusOut={(event) => menu.current?.contains(event.relatedTarget as Node | null) || close()}
        onKeyDown={(event) => event.key === "Escape" && (close(), summary.current?.focus())}
      >
        <summary ref={summary} class="button plain" aria-describedby={heading}>
          Export
        </summary>
        <div class="metrics-menu">
          {formsOf(spec).map((form) => (
            <a
              key={form}
              href={fileAddress(channel, spec, range, form)}
              download={fileName(channel, spec, range, form)}
              aria-describedby={heading}
              onClick={close}
            >
              {texts[form]}
            </a>
          ))}
          <button type="button" aria-describedby={heading} onClick={() => (close(), setSharing(true))}>
            Share a link …
          </button>
        </div>
      </details>
      {sharing && <Share {...{ channel, spec, range }} close={shared} />}
    </>
  );
}
