export function Tail({ channel }: { channel: string }) {
  return <p>{channel}</p>;
}
