/** Returns an error as the one line that kubelet logs; no text of a request can break out of that line. */
export function complaint(thrown: unknown): string {
  const { reason, message = String(thrown) } = Object(thrown);
  const text = reason === undefined ? message : `${reason}: ${message}`;
  return `slipway-credential-provider: ${text.replace(unprintable, ' ').slice(0, longest)}\n`;
}

/** Control and format characters, unpaired surrogates, and line separators. */
const unprintable = /[\p{C}\p{Zl}\p{Zp}]+/gu;

const longest = 2_000;
