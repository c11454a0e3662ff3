import { printableLine } from '../engine/printable.ts';
import { withoutLogins } from '../engine/url-login.ts';

const longest = 400;

/** Returns an engine's message on one printable line of at most about 400 characters, without logins in URLs. */
export function quote(message: string | null | undefined): string {
  const line = withoutLogins(message ?? '').replaceAll(/\s+/g, ' ');
  const text = printableLine(line.trim()) || 'no message yet';
  return text.length > longest ? `${text.slice(0, longest)}...` : text;
}
