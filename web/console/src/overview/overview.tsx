export function Overview() {
  return <h1>Channels</h1>;
}
