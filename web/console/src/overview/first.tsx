// What shows while there is nothing to show yet.
import { Command } from "../ui/command";
import { Empty } from "../ui/states";
import { addDrain, createChannel, sendByCurl, sendByLogger } from "./commands";

function Sending() {
  return (
    <>
      <p>Over HTTP, with any client:</p>
      <Command text={sendByCurl(location)} />
      <p>
        Or over syslog; the port is that of <code>TAILRACE_SYSLOG_LISTEN</code>:
      </p>
      <Command text={sendByLogger(location)} />
    </>
  );
}

/** No channel at all, to somebody who may make one. */
export function FirstRun() {
  return (
    <section class="over-first">
      <h2>There is no channel yet</h2>
      <p>
        A channel is one app's stream of records. Two commands make one and send to it; this page shows it within two seconds, by itself.
      </p>
      <ol>
        <li>
          <h3>Create a channel</h3>
          <p>
            With the router's credential in <code>TAILRACE_AUTH</code>, as <code>user:password</code>. The answer has a token, which lets a source
            write:
          </p>
          <Command text={createChannel(location)} />
        </li>
        <li>
          <h3>Send a first record</h3>
          <Sending />
        </li>
        <li>
          <h3>Then</h3>
          <p>
            The channel stands here, with a link to its live lines, its metrics and its drains. A drain sends its records on to where you want them:
          </p>
          <Command text={addDrain(location)} />
        </li>
      </ol>
    </section>
  );
}

/** No channel that one may read. */
export function NothingToRead() {
  return (
    <Empty title="There is no channel that you may read">
      <p>Whoever administers this router can give the credential that is signed in the permission to read one.</p>
    </Empty>
  );
}

/** There are channels, and nothing comes in. */
export function Silent({ one }: { one: boolean }) {
  return (
    <section class="over-first">
      <h2>No record came in within the last minute</h2>
      <p>
        {one ? "The channel above waits" : "The channels above wait"} for a first record, or for the next. With one of its tokens in <code>TOKEN</code> (
        <code>tailrace tokens list --show -a CHANNEL</code>):
      </p>
      <Sending />
    </section>
  );
}
