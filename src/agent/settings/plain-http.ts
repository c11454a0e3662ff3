import * as z from 'zod/mini';
import { url } from './address-forms.ts';
import { consentAdvice, isConsented } from './consents.ts';
import { mapAt, type Problem, valueAt } from './path.ts';
import { type Sections, sensitiveUrls } from './section.ts';

/**
 * Lists a problem for each plain-http URL that would let an attacker on the network replace what runs as root or read a
 * credential, unless `consent.plainHttp` names the URL. Skips URLs of this machine and of `exempt`, the hosts of
 * metadata services.
 */
export function plainHttpMisfits(
  written: unknown,
  table: Sections,
  exempt: readonly string[],
): readonly Problem[] {
  const settings = { consent: mapAt(written, ['consent']) };
  return sensitiveUrls(table, written).flatMap(({ path, risk, address = valueAt(written, path) }) => {
    const host = exposedHost(address, exempt);
    if (typeof address !== 'string' || host === undefined) {
      return [];
    }
    if (isConsented(settings, 'plainHttp', address)) {
      return [];
    }
    const why = `is plain http: anyone between this node and ${host} could ${risk}`;
    return [{ path, message: `${why}; use https, or ${consentAdvice(settings, 'plainHttp', address)}` }];
  });
}

/** Returns the host of a valid plain-http URL, unless that host is this machine or exempt; otherwise `undefined`. */
function exposedHost(address: unknown, exempt: readonly string[]): string | undefined {
  const { success, data } = z.safeParse(url, address);
  const { protocol, hostname, host } = (success ? URL.parse(data) : undefined) ?? {};
  if (protocol !== 'http:' || hostname === undefined) {
    return undefined;
  }
  return isLocal(hostname) || exempt.includes(hostname) ? undefined : host;
}

/** True if `hostname` names this machine. Expects the form that `URL` writes, such as 127.0.0.1 for `127.1`. */
function isLocal(hostname: string): boolean {
  return ['localhost', '[::1]'].includes(hostname) || /^127(\.\d+){3}$/.test(hostname);
}
