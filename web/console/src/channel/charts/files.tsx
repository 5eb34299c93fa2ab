// A chart as a file, and as a link for somebody else.
import { useState } from "preact/hooks";
import type { Page } from "./chart";
import { fileAddress, fileName } from "./exports";
import { Share } from "./share";
import type { ChartSpec } from "./specs";

export function Files({ page, spec, heading }: { page: Page; spec: ChartSpec; heading: string }) {
  const [sharing, setSharing] = useState(false);
  const { channel, range } = page;
  return (
    <>
      {(["csv", "svg"] as const).map((form) => (
        <a
          key={form}
          class="button plain"
          href={fileAddress(channel, spec, range, form)}
          download={fileName(channel, spec, range, form)}
          aria-describedby={heading}
        >
          {form.toUpperCase()}
        </a>
      ))}
      <button type="button" class="plain" aria-describedby={heading} onClick={() => setSharing(true)}>
        Share
      </button>
      {sharing && <Share {...{ channel, spec, range }} close={() => setSharing(false)} />}
    </>
  );
}
