import { Agent } from 'node:https';
import { type ConnectionOptions, createSecureContext } from 'node:tls';
import type { HttpRequest } from '../../engine/host.ts';

/** What a request trusts, if it does not trust the CAs of the system. */
export type OwnTrust = Exclude<NonNullable<HttpRequest['trust']>, 'system'>;

export type TlsOptions = Pick<
  ConnectionOptions,
  'secureContext' | 'rejectUnauthorized' | 'checkServerIdentity'
>;

/** The TLS options for one trust, and the agent that keeps its connections. */
export interface TrustRoute {
  readonly tls: TlsOptions;
  readonly agent: Agent;
}

/** The largest number of trusts whose connections are kept. A node has about three, and others while one is renewed. */
const mostKept = 8;

/**
 * Keeps the connections of each trust for four seconds, those with a client certificate for a minute, and TLS sessions
 * for longer, so that most requests need no full handshake. Each trust has its own agent: a shared agent would reuse a
 * connection for a request that trusts another CA or presents another client certificate.
 */
export class TrustRoutes {
  readonly #kept = new Map<string, TrustRoute>();

  route(trust: OwnTrust): TrustRoute {
    const name = nameOf(trust);
    const route = this.#kept.get(name) ?? newRoute(trust);
    this.#kept.delete(name);
    this.#kept.set(name, route);
    this.#forgetOldest();
    return route;
  }

  /** Closes the connections of the least recently used trust if more than `mostKept` trusts are kept. */
  #forgetOldest(): void {
    const [oldest] = this.#kept;
    if (oldest !== undefined && this.#kept.size > mostKept) {
      const [name, { agent }] = oldest;
      this.#kept.delete(name);
      agent.destroy();
    }
  }
}

/** The options of an agent that keeps its connections for four seconds. */
export const kept = { keepAlive: true, timeout: 4_000 } as const;

/**
 * The options of an agent for the Kubernetes API, which a server asks every half minute. The API closes a connection
 * that is idle for 90 seconds (k8s.io/apiserver, secure_serving.go), and its process is on this host or answers through
 * K3s on this host.
 */
const keptForApi = { keepAlive: true, timeout: 60_000 } as const;

function newRoute(trust: OwnTrust): TrustRoute {
  const isForApi = trust !== 'anybody' && trust.identity !== undefined;
  return { tls: tlsOf(trust), agent: new Agent(isForApi ? keptForApi : kept) };
}

/** Returns a text that differs for different trusts. A renewed certificate has a new key, so the key is left out. */
function nameOf(trust: OwnTrust): string {
  return trust === 'anybody'
    ? trust
    : JSON.stringify([trust.ca, trust.anyName === true, trust.identity?.certificate]);
}

/**
 * Returns the TLS options for a trust. Passes certificates as a list, because Node ignores an empty string and would
 * trust its own roots.
 */
function tlsOf(trust: OwnTrust): TlsOptions {
  if (trust === 'anybody') {
    return { rejectUnauthorized: false };
  }
  const { ca, anyName, identity } = trust;
  const client = identity && { cert: identity.certificate, key: identity.key.reveal() };
  return {
    secureContext: createSecureContext({ ca: [ca], ...client }),
    rejectUnauthorized: true,
    ...(anyName && { checkServerIdentity: () => undefined }),
  };
}
