/** Returns an error as one line for the log of kubelet. A text from a request cannot begin another line. */
export function complaint(thrown: unknown): string {
  const { reason, message = String(thrown) } = Object(thrown);
  const text = reason === undefined ? message : `${reason}: ${message}`;
  return `slipway-credential-provider: ${text.replace(unprintable, ' ').slice(0, longest)}\n`;
}

/** The control and format characters, unpaired surrogates, and line separators. */
const unprintable = /[\p{C}\p{Zl}\p{Zp}]+/gu;

const longest = 2_000;
