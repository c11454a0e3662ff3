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
 * The most client certificates whose connections are kept: kubelet's and the admin's, and their predecessors while
 * requests with these end.
 */
const mostKept = 4;

/**
 * Keeps the connections of each client certificate for four seconds, apart from those of others: one agent would reuse
 * a connection for a request with another certificate.
 */
export class IdentifiedRoutes {
  readonly #kept = new Map<string, IdentifiedRoute>();

  /** Returns the connection that shows a client certificate, and trusts only servers of this CA. */
  route(ca: string, identity: ClientIdentity): IdentifiedRoute {
    const name = `${ca}\n${identity.certificate}`;
    const route = this.#kept.get(name) ?? newRoute(ca, identity);
    this.#kept.delete(name);
    this.#kept.set(name, route);
    this.#forgetOldest();
    return route;
  }

  /** Closes the idle connections of the certificate that was used longest ago, if there are too many. */
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
