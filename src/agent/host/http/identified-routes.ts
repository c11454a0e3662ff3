import { Agent } from 'node:https';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { ClientIdentity } from '../../engine/host.ts';

/** The options of `node:https.request` for one client certificate. */
export interface IdentifiedRoute {
  readonly agent: Agent;
  readonly secureContext: SecureContext;
  readonly rejectUnauthorized: true;
}

/**
 * The largest number of client certificates whose connections are kept: those of kubelet and the admin, and their
 * predecessors until the last requests with them have ended.
 */
const mostKept = 4;

/**
 * Keeps the connections of each client certificate for four seconds. Each certificate has its own agent: a shared agent
 * would reuse a connection for a request with another certificate.
 */
export class IdentifiedRoutes {
  readonly #kept = new Map<string, IdentifiedRoute>();

  /** Returns the options for a connection that presents a client certificate and trusts only servers of this CA. */
  route(ca: string, identity: ClientIdentity): IdentifiedRoute {
    const name = `${ca}\n${identity.certificate}`;
    const route = this.#kept.get(name) ?? newRoute(ca, identity);
    this.#kept.delete(name);
    this.#kept.set(name, route);
    this.#forgetOldest();
    return route;
  }

  /** Closes the connections of the least recently used certificate if more than `mostKept` certificates are kept. */
  #forgetOldest(): void {
    const [oldest] = this.#kept;
    if (oldest !== undefined && this.#kept.size > mostKept) {
      const [name, { agent }] = oldest;
      this.#kept.delete(name);
      agent.destroy();
    }
  }
}

function newRoute(ca: string, { certificate, key }: ClientIdentity): IdentifiedRoute {
  return {
    agent: new Agent({ keepAlive: true, timeout: 4_000 }),
    secureContext: createSecureContext({ ca: [ca], cert: certificate, key: key.reveal() }),
    rejectUnauthorized: true,
  };
}
