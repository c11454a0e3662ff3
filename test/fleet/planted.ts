import type { Host, HttpResponse, HttpSend } from '../../src/agent/engine/host.ts';
import { reveal } from '../../src/agent/engine/secret.ts';
import type { WrapHost } from './daemon.ts';
import type { FleetApi } from './fleet-api.ts';

const lease = /\/namespaces\/kube-system\/leases\/slipway-turns$/;
const ledgerKey = 'slipway.dev/ledger';

/** Counts time by the time of day, which can be set, wherever Slipway counts by clocks that cannot. */
export const byTimeOfDay: WrapHost = (host) =>
  changed(host, {
    monotonic: () => host.now(),
    async readFile(path) {
      const found = await host.readFile(path);
      return path === '/proc/uptime' && found
        ? { ...found, content: `${(host.now() / 1_000 - 1.7e9).toFixed(2)} 0.00\n` }
        : found;
    },
  });

/** Keeps the ledger in the memory of the process that holds the Lease, and never in the Lease. */
export const ledgerInMemory: WrapHost = (host) => {
  let kept: string | undefined;
  return changed(host, {
    async get(request) {
      const response = await host.get(request);
      return lease.test(new URL(request.url).pathname) && kept !== undefined
        ? withLedger(response, kept)
        : response;
    },
    send(request) {
      const ledger = isLease(request) ? ledgerIn(request) : undefined;
      kept = ledger ?? kept;
      return host.send(ledger === undefined ? request : withoutLedger(request));
    },
  });
};

function isLease({ url, method }: HttpSend): boolean {
  const { pathname } = new URL(url);
  return method !== 'DELETE' && (lease.test(pathname) || /\/namespaces\/kube-system\/leases$/.test(pathname));
}

function ledgerIn({ body = '' }: HttpSend): string | undefined {
  return JSON.parse(reveal(body)).metadata?.annotations?.[ledgerKey];
}

function withoutLedger(request: HttpSend): HttpSend {
  const object = JSON.parse(reveal(request.body ?? ''));
  delete object.metadata.annotations[ledgerKey];
  return { ...request, body: JSON.stringify(object) };
}

function withLedger(response: HttpResponse, ledger: string): HttpResponse {
  const object = JSON.parse(response.body);
  if (response.status !== 200) {
    return response;
  }
  const annotations = { ...object.metadata.annotations, [ledgerKey]: ledger };
  const metadata = { ...object.metadata, annotations };
  return { ...response, body: JSON.stringify({ ...object, metadata }) };
}

/** Makes the API apply changes to the objects at some paths whatever version they name. */
export function withoutVersions(api: FleetApi, ofPath: (pathname: string, body: string) => boolean): void {
  api.rewrite = (pathname, body, live) => {
    if (live === undefined || !ofPath(pathname, body)) {
      return body;
    }
    const object = JSON.parse(body);
    return JSON.stringify({ ...object, metadata: { ...object.metadata, resourceVersion: live } });
  };
}

/** Returns a view of a Host in which some calls are others. */
export function changed(host: Host, others: Partial<Host>): Host {
  return new Proxy(host, {
    get(target, name) {
      const other: unknown = Reflect.get(others, name);
      const value: unknown = other ?? Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
