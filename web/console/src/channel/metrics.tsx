export function Metrics({ channel }: { channel: string }) {
  return <p>{channel}</p>;
}
