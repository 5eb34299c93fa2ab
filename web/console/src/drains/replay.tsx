// From when on to send again.
import { useState } from "preact/hooks";
import { Dialog } from "../ui/dialog";

const choices: [since: string, text: string][] = [
  ["5m", "the last 5 minutes"],
  ["1h", "the last hour"],
  ["oldest", "everything that is still kept"],
  ["", "from this time on:"],
];

/** `replay` is given a `since` of the API. */
export function ReplayDialog({ name, paused, close, replay }: { name: string; paused: boolean; close: () => void; replay: (since: string) => void }) {
  const [since, setSince] = useState("5m");
  const [time, setTime] = useState("");
  const [wrong, setWrong] = useState("");
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const at = new Date(time);
    if (since === "" && Number.isNaN(at.getTime())) return setWrong("Which time? It is a day and an hour, in this browser's zone.");
    replay(since || at.toISOString());
  };
  return (
    <Dialog title={`Replay to ${name}`} close={close}>
      <form class="drains-form" onSubmit={submit}>
        <p>
          Sends again, in order, what the channel still keeps. The far end has had those records already and gets them a second time; what waits
          now comes behind them. A drain never skips anything by this.
        </p>
        <fieldset>
          <legend>Send again</legend>
          {choices.map(([value, text]) => (
            <label key={value} class="drains-choice">
              <input type="radio" name="since" checked={since === value} onChange={() => setSince(value)} /> {text}
            </label>
          ))}
          <input
            type="datetime-local"
            step={1}
            aria-label="Time to send again from"
            value={time}
            onInput={(event) => {
              setTime(event.currentTarget.value);
              setSince("");
              setWrong("");
            }}
          />
        </fieldset>
        {paused && <p class="drains-note">It is paused: the records are sent when it is resumed.</p>}
        <p class="form-error" role="alert">
          {wrong}
        </p>
        <div class="drains-buttons">
          <button type="submit" class="primary">
            Replay
          </button>
          <button type="button" onClick={close}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}
