/** What went wrong, as the one line that kubelet logs. Nothing that a request brought along can break out of it. */
export function complaint(thrown: unknown): string {
  const { reason, message = String(thrown) } = Object(thrown);
  const text = reason === undefined ? message : `${reason}: ${message}`;
  return `slipway-credential-provider: ${text.replace(unprintable, ' ').slice(0, longest)}\n`;
}

/** Control and format characters, halves of pairs, and what ends a line. */
const unprintable = /[\p{C}\p{Zl}\p{Zp}]+/gu;

const longest = 2_000;
