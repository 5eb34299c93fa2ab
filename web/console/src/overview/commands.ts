// What to type for a first channel and a first record.

export interface Where {
  origin: string; // of the page, which is the admin listener: it takes records too
  hostname: string;
}

const syslogPort = 6001; // the standard of TAILRACE_SYSLOG_LISTEN

export function createChannel({ origin }: Where): string {
  return `TOKEN=$(curl -s -u "$TAILRACE_AUTH" ${origin}/channels \\
    -d '{"name":"shop","tokens":["app"]}' | grep -o 't\\.[0-9a-f-]*')`;
}

export function sendByCurl({ origin }: Where): string {
  return `echo "hello from $(hostname)" | curl -s -u "token:$TOKEN" -H 'Content-Type: text/plain' \\
    --data-binary @- ${origin}/logs`;
}

export function sendByLogger({ hostname }: Where): string {
  const host = hostname.replace(/^\[|\]$/g, "");
  return `logger --tcp --octet-count --rfc5424 --server ${host} --port ${syslogPort} \\
    --tag "$TOKEN" hello from logger`;
}

export function addDrain({ origin }: Where): string {
  return `TAILRACE_URL=${origin} tailrace drains add -a shop https://user:password@logs.example.com/in`;
}
