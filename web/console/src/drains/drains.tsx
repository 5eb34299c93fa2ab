export function Drains({ channel }: { channel: string }) {
  return <p>{channel}</p>;
}
