import { useState } from "preact/hooks";
import { Dialog } from "./ui/dialog";
import { keysOn, turnKeys } from "./ui/keys";

const keys: [string, string][] = [
  ["/", "search or filter"],
  ["space", "pause or resume the tail"],
  ["g  G", "oldest and newest line that shows"],
  ["Enter  ↑  ↓", "into the lines, and from line to line; Enter again: its details"],
  ["j  k", "next and previous channel of the overview"],
  ["1  2  3", "a channel's logs, metrics, drains"],
  ["o", "overview"],
  ["?", "this list"],
  ["Esc", "close, or leave the search"],
];

export function Help({ close }: { close: () => void }) {
  const [on, setOn] = useState(keysOn);
  return (
    <Dialog title="Keys" close={close}>
      <dl class="keys">
        {keys.map(([key, does]) => (
          <div key={key}>
            <dt>
              {key.split("  ").map((one) => (
                <kbd key={one}>{one}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <label class="keys-on">
        <input type="checkbox" checked={on} onChange={(event) => (turnKeys(event.currentTarget.checked), setOn(keysOn()))} /> Keys of one character are on
      </label>
    </Dialog>
  );
}
