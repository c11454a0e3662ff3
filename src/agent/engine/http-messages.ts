import type { Content, Secret } from './secret.ts';

export interface HttpRequest {
  readonly url: string;
  readonly headers?: Readonly<Record<string, Content>>;
  /** The time limit of the whole exchange in milliseconds; 10 000 by default. */
  readonly timeout?: number;
  /** True to bypass any proxy, for services on this host or on its own network. */
  readonly direct?: boolean;
  /**
   * The trusted certificates: by default (`system`) those of Node, the system and the settings; with `anybody`, any
   * certificate; otherwise only the given ones.
   */
  readonly trust?: 'system' | 'anybody' | TrustedCa;
}

/**
 * The only trusted certificates, as PEM. With `anyName`, the certificate of the server may be for any name. With
 * `identity`, the request presents this identity to a trusted server, and bypasses any proxy.
 */
export interface TrustedCa {
  readonly ca: string;
  readonly anyName?: boolean;
  readonly identity?: ClientIdentity;
}

/** A client certificate and its private key, both as PEM. */
export interface ClientIdentity {
  readonly certificate: string;
  readonly key: Secret;
}

export interface HttpSend extends HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD';
  readonly body?: Content;
}

/** An HTTP response. Header names are lower-case. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
