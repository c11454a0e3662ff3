import { type Consenting, consentAdvice, isConsented } from '../../settings/consents.ts';
import { given, mapAt, type Problem, valueAt } from '../../settings/path.ts';
import type { SensitiveUrl, Written } from '../../settings/section.ts';

/**
 * Returns contradictions in the settings of registries: a login server with two credentials, an image in
 * registries.proof that belongs to no login server, and a setting that would show a credential to another server
 * without consent.
 */
export function registryMisfits(registries: Written, settings: Written): readonly Problem[] {
  const servers = texts(registries.servers);
  return [
    ...doubleCredentials(registries, servers),
    ...foreignProofs(registries, servers),
    ...[...foreignMirrors(registries, servers), ...unverifiedServers(registries, servers)].flatMap(
      (exposed) => withoutConsent({ consent: mapAt(settings, ['consent']) }, exposed),
    ),
  ];
}

function doubleCredentials(registries: Written, servers: readonly string[]): readonly Problem[] {
  return Object.keys(mapAt(registries, ['configs']))
    .map((registry) => ({ registry, path: ['configs', registry, 'auth'] }))
    .filter(({ registry, path }) => servers.includes(registry) && given(valueAt(registries, path)))
    .map(({ path }) => ({
      path,
      message:
        'is written by Slipway for a registry in registries.servers; leave this out, or take the registry off that list',
    }));
}

function foreignProofs(registries: Written, servers: readonly string[]): readonly Problem[] {
  return texts(registries.proof).flatMap((image, at) => {
    const [, registry] = /^([^/\s@]+)\/\S+$/.exec(image) ?? [];
    if (registry === undefined || servers.includes(registry)) {
      return [];
    }
    const message = `is an image of ${registry}, which is not in registries.servers (${servers.join(', ') || 'none'}); name an image of one of those, or add the registry there`;
    return [{ path: ['proof', at], message }];
  });
}

/** A setting that would show a credential to another server, with its repair and its name in a consent. */
interface Exposure extends Problem {
  readonly repair: string;
  readonly subject: string;
}

function withoutConsent(settings: Consenting, exposure: Exposure): readonly Problem[] {
  const { path, message, repair, subject } = exposure;
  if (isConsented(settings, 'foreignMirrors', subject)) {
    return [];
  }
  const advice = consentAdvice(settings, 'foreignMirrors', subject);
  return [{ path, message: `${message}; ${repair}, or ${advice}` }];
}

/**
 * Returns the mirrors that could learn the credential of a login server. When containerd pulls an image, it offers
 * kubelet's credential for the host in the image's name to every mirror that requires a login (containerd,
 * internal/cri/server/images/image_pull.go). Mirrors of `*` do not get the credential if the host has a separate mirror
 * entry or credential, as each login server has. Rewrites change the path, not the host of the request.
 */
function foreignMirrors(registries: Written, servers: readonly string[]): readonly Exposure[] {
  const mirrors = Object.entries(mapAt(registries, ['mirrors']));
  return mirrors.flatMap(([name, mirror]) => {
    const server = withoutPort(name);
    if (!servers.includes(server)) {
      return [];
    }
    return texts(valueAt(mirror, ['endpoint'])).flatMap((endpoint, at) => {
      const stranger = strangerAt(endpoint, servers);
      if (stranger === undefined) {
        return [];
      }
      const path = ['mirrors', name, 'endpoint', at];
      const message = `would show the credential of ${server} to ${stranger.who}, since containerd offers it to each mirror that it asks`;
      return [{ path, message, repair: 'take it out', subject: `${server}=${stranger.origin}` }];
    });
  });
}

/**
 * Returns the server, other than a login server, that would learn a credential sent to this URL; `undefined` if only a
 * login server would, or if the URL is invalid, which the schema rejects. Login servers are recognized only by their
 * exact names at the https port, so that an ambiguous URL is not trusted.
 */
function strangerAt(
  endpoint: string,
  servers: readonly string[],
): { readonly who: string; readonly origin: string } | undefined {
  const [, scheme, host = ''] = /^(https?):\/\/([^\s/@?#]+)(?:\/|$)/i.exec(endpoint) ?? [];
  if (scheme === undefined) {
    return undefined;
  }
  const origin = `${scheme}://${host}`.toLowerCase();
  if (origin.startsWith('http:')) {
    return { who: `anyone between this node and ${host}`, origin };
  }
  return servers.includes(host.toLowerCase().replace(/:443$/, '')) ? undefined : { who: host, origin };
}

/**
 * Returns the login servers whose certificate is not checked, so that any server could answer under the name of the
 * login server.
 */
function unverifiedServers(registries: Written, servers: readonly string[]): readonly Exposure[] {
  return Object.entries(mapAt(registries, ['configs']))
    .filter(([name]) => servers.includes(withoutPort(name)))
    .filter(([, config]) => valueAt(config, ['tls', 'insecure_skip_verify']) === true)
    .map(([name]) => ({
      path: ['configs', name, 'tls', 'insecure_skip_verify'],
      message: `would show the credential of ${withoutPort(name)} to any server that answers under its name`,
      repair: 'take it out and name the CA that signed its certificate in ca_file',
      subject: `${withoutPort(name)}=insecure_skip_verify`,
    }));
}

/**
 * Returns the mirrors to which containerd sends a login. Containerd looks up a login by the host and port in the URL of
 * the mirror (containerd, internal/cri/server/images/image_pull.go). Does not consider the credentials of login servers
 * at mirrors of login servers: `foreignMirrors` covers them.
 */
export function mirrorsWithLogin(registries: Written): readonly SensitiveUrl[] {
  const servers = texts(registries.servers);
  const configs = Object.entries(mapAt(registries, ['configs']));
  const known = configs.filter(([, config]) => given(valueAt(config, ['auth']))).map(([name]) => name);
  return Object.keys(mapAt(registries, ['mirrors'])).flatMap((name) => {
    const logins = servers.includes(withoutPort(name)) ? known : [...known, ...servers];
    return texts(valueAt(registries, ['mirrors', name, 'endpoint'])).flatMap((endpoint, at) => {
      const registry = URL.parse(endpoint)?.host ?? '';
      const isKnown = logins.some((login) => login === '*' || withoutHttpPort(login) === registry);
      const path = ['mirrors', name, 'endpoint', at];
      return isKnown ? [{ path, risk: `read the login for ${registry}` }] : [];
    });
  });
}

function withoutHttpPort(registry: string): string {
  return registry.replace(/:80$/, '');
}

function withoutPort(registry: string): string {
  return registry.replace(/:\d+$/, '');
}

/** Returns the strings of a list in order, with an empty string for any other item, which the schema rejects. */
function texts(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.map((item) => (typeof item === 'string' ? item : '')) : [];
}
