/** The library's errors for a server that is gone, or goes while it is asked. */

/** A message could not be written or read, its answer never comes, or there is no connection. */
const CODES = [-32_099, -32_098, -32_097, -32_096];

/** What is thrown of a connection that was closed before; its own numbers could be anyone's. */
const CLOSED = /^Connection is (?:closed|disposed)\b|^Client is not running\b/;

/** Whether an error says no more than that the connection to the server ended. */
export function isDisconnected(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? error.code : undefined;
  return CODES.some((one) => one === code) || CLOSED.test(error.message);
}
