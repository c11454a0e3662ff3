import * as z from 'zod/mini';
import { url } from './address-forms.ts';
import { consentAdvice, isConsented } from './consents.ts';
import { mapAt, type Problem, valueAt } from './path.ts';
import { type Sections, sensitiveUrls } from './section.ts';

/**
 * Lists the URLs without TLS by which anyone on the network path could replace what runs as root or read a credential,
 * unless `consent.plainHttp` names them. Skips this machine and the hosts of metadata services, `exempt`.
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

/**
 * Returns the host of a plain-http URL outside this machine; `undefined` for an invalid URL, which the forms refuse.
 */
function exposedHost(address: unknown, exempt: readonly string[]): string | undefined {
  const { success, data } = z.safeParse(url, address);
  const { protocol, hostname, host } = (success ? URL.parse(data) : undefined) ?? {};
  if (protocol !== 'http:' || hostname === undefined) {
    return undefined;
  }
  return isLocal(hostname) || exempt.includes(hostname) ? undefined : host;
}

/** True for this machine. `hostname` is as `URL` writes it, so `127.1` is 127.0.0.1 here. */
function isLocal(hostname: string): boolean {
  return ['localhost', '[::1]'].includes(hostname) || /^127(\.\d+){3}$/.test(hostname);
}
