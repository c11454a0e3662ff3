import type { Host, HttpResponse, HttpSend } from '../../src/agent/engine/host.ts';
import { reveal } from '../../src/agent/engine/secret.ts';
import { ledgerKey, type Slot } from '../../src/agent/parts/maintenance/turn/ledger.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import type { WrapHost } from './daemon.ts';
import type { Fleet } from './fleet.ts';
import type { FleetApi } from './fleet-api.ts';

const paths = nodePaths('/');
const lease = /\/namespaces\/kube-system\/leases\/slipway-turns$/;

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

/** Makes the API apply some changes, whatever version of the object they name. */
export function withoutVersions(api: FleetApi, ofPath: (pathname: string, body: string) => boolean): void {
  api.rewrite = (pathname, body, live) => {
    if (live === undefined || !ofPath(pathname, body)) {
      return body;
    }
    const object = JSON.parse(body);
    return JSON.stringify({ ...object, metadata: { ...object.metadata, resourceVersion: live } });
  };
}

/** Returns a view of a Host in which `others` replace some calls. */
export function changed(host: Host, others: Partial<Host>): Host {
  return new Proxy(host, {
    get(target, name) {
      const other: unknown = Reflect.get(others, name);
      const value: unknown = other ?? Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/**
 * Suspends the holder of the Lease just before it writes its first grant to the Node of an agent, and cuts that agent
 * off, so that the next holder withdraws the grant before the former one goes on to write it.
 */
export function grantedLate(made: () => Fleet | undefined): WrapHost {
  let isOver = false;
  return (host, node) =>
    changed(host, {
      async send(request) {
        const body = reveal(request.body ?? '');
        const name = /\/api\/v1\/nodes\/(agent-\d+)$/.exec(new URL(request.url).pathname)?.[1];
        if (
          !isOver &&
          name !== undefined &&
          request.method === 'PATCH' &&
          body.includes('slipway.dev/turn-grant')
        ) {
          isOver = true;
          const fleet = made();
          const target = fleet?.daemons.find((daemon) => daemon.node.name === name)?.node.machine;
          node.machine.suspend(480_000);
          if (target && target !== node.machine) {
            target.isCutOff = true;
            fleet?.later(400_000, () => {
              target.isCutOff = false;
            });
          }
        }
        return host.send(request);
      },
    });
}

/** Frees the turn of a server once the time within which the server may begin is over. */
export const freedByTime: WrapHost = (host) => {
  const since = new Map<string, number>();
  return changed(host, {
    send(request) {
      const text = isLease(request) ? ledgerIn(request) : undefined;
      if (text === undefined) {
        return host.send(request);
      }
      const ledger = JSON.parse(text);
      const slots = ledger.slots.filter(({ nonce, server, seconds }: Slot) => {
        const from = since.get(nonce) ?? host.monotonic();
        since.set(nonce, from);
        return !server || host.monotonic() - from < seconds * 1_000;
      });
      return host.send(withLedgerIn(request, JSON.stringify({ ...ledger, slots })));
    },
  });
};

function withLedgerIn(request: HttpSend, ledger: string): HttpSend {
  const object = JSON.parse(reveal(request.body ?? ''));
  object.metadata.annotations[ledgerKey] = ledger;
  return { ...request, body: JSON.stringify(object) };
}

/** Forgets that a release was given up as soon as the previous one is back. */
export const forgottenRollback: WrapHost = (host) =>
  changed(host, {
    async rename(from, to) {
      await host.rename(from, to);
      if (from === paths.k3s.previous) {
        await host.remove(paths.slipway.upgrade);
      }
    },
  });
