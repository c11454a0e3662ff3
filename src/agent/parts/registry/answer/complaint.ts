/**
 * Returns an error as one line for kubelet's log, with at most 2000 characters of text. Replaces line breaks and other
 * unprintable characters by spaces, so that text from a request cannot begin another line.
 */
export function complaint(thrown: unknown): string {
  const { reason, message = String(thrown) } = Object(thrown);
  const text = reason === undefined ? message : `${reason}: ${message}`;
  return `slipway-credential-provider: ${text.replace(unprintable, ' ').slice(0, longest)}\n`;
}

/** Control, format, private-use and unassigned characters, unpaired surrogates, and line and paragraph separators. */
const unprintable = /[\p{C}\p{Zl}\p{Zp}]+/gu;

const longest = 2_000;
