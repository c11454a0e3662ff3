import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { type ConnectionOptions, createSecureContext } from 'node:tls';
import type { HttpRequest } from '../core/host.ts';
import type { Network } from './environment.ts';
import { bypassesProxy } from './proxy-bypass.ts';
import { TrustStore } from './trust-store.ts';

/** How one exchange connects: the agent and the TLS options for `node:http(s).request`. */
export type Route = Trust & { readonly agent: HttpAgent };

type Trust = Pick<ConnectionOptions, 'secureContext' | 'rejectUnauthorized'>;

/**
 * Chooses how to connect, by the settings and by what a request asks for.
 *
 * Direct connections under the system's trust are kept for four seconds and used again; all others are made for
 * their exchange alone, because an agent does not tell trusts apart and a proxy's connection must end with `signal`.
 */
export class Routes {
  readonly #network: Network;
  readonly #http = new HttpAgent(kept);
  readonly #https = new HttpsAgent(kept);
  readonly #trusted: TrustStore;

  constructor(network: Network) {
    this.#network = network;
    this.#trusted = new TrustStore(network.caFile);
  }

  async to(url: URL, request: Pick<HttpRequest, 'direct' | 'trust'>, signal: AbortSignal): Promise<Route> {
    const tls = url.protocol === 'https:' ? await this.#tls(request.trust ?? 'system') : {};
    const proxy = this.#proxyFor(url, request.direct ?? false);
    if (proxy !== undefined) return { ...tls, agent: await this.#proxyAgent(url, proxy, signal) };
    if (url.protocol === 'http:') return { agent: this.#http };
    return { ...tls, agent: (request.trust ?? 'system') === 'system' ? this.#https : new HttpsAgent() };
  }

  #proxyFor(url: URL, direct: boolean): string | undefined {
    const { proxy, noProxy = [] } = this.#network;
    return direct || bypassesProxy(url.hostname, noProxy) ? undefined : proxy;
  }

  async #proxyAgent(url: URL, proxy: string, signal: AbortSignal): Promise<HttpAgent> {
    const options = { signal, ...(proxy.startsWith('https:') && (await this.#tls('system'))) };
    if (url.protocol === 'http:') {
      const { HttpProxyAgent } = await import('http-proxy-agent');
      return new HttpProxyAgent(proxy, options);
    }
    const { HttpsProxyAgent } = await import('https-proxy-agent');
    return new HttpsProxyAgent(proxy, options);
  }

  async #tls(trust: NonNullable<HttpRequest['trust']>): Promise<Trust> {
    if (trust === 'anybody') return { rejectUnauthorized: false };
    const secureContext =
      trust === 'system' ? await this.#trusted.context() : createSecureContext({ ca: trust.ca });
    return { secureContext, rejectUnauthorized: true };
  }
}

const kept = { keepAlive: true, timeout: 4_000 };
