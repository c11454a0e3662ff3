import { type Consenting, consentAdvice, isConsented } from '../../settings/consents.ts';
import { given, mapAt, type Problem, valueAt } from '../../settings/path.ts';
import type { SensitiveUrl, Written } from '../../settings/section.ts';

/**
 * What does not fit together in the settings of registries: a login server with two credentials, a proof that no login
 * server can give, and what would show a login server's credential to somebody else without consent.
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
    if (registry === undefined || servers.includes(registry)) return [];
    const message = `is an image of ${registry}, which is not in registries.servers (${servers.join(', ') || 'none'}); name an image of one of those, or add the registry there`;
    return [{ path: ['proof', at], message }];
  });
}

/** What would show a credential, what to do instead, and how consent names it. */
interface Exposure extends Problem {
  readonly repair: string;
  readonly subject: string;
}

function withoutConsent(settings: Consenting, exposure: Exposure): readonly Problem[] {
  const { path, message, repair, subject } = exposure;
  if (isConsented(settings, 'foreignMirrors', subject)) return [];
  const advice = consentAdvice(settings, 'foreignMirrors', subject);
  return [{ path, message: `${message}; ${repair}, or ${advice}` }];
}

/**
 * Containerd offers the credential that kubelet has for the host in an image's name to every mirror that asks for one
 * (containerd, internal/cri/server/images/image_pull.go), and to no mirror of `*` where the host has a mirror entry or
 * a credential of its own, as each login server has. Rewrites change the path, and not who is asked.
 */
function foreignMirrors(registries: Written, servers: readonly string[]): readonly Exposure[] {
  const mirrors = Object.entries(mapAt(registries, ['mirrors']));
  return mirrors.flatMap(([name, mirror]) => {
    const server = withoutPort(name);
    if (!servers.includes(server)) return [];
    return texts(valueAt(mirror, ['endpoint'])).flatMap((endpoint, at) => {
      const stranger = strangerAt(endpoint, servers);
      if (stranger === undefined) return [];
      const path = ['mirrors', name, 'endpoint', at];
      const message = `would show the credential of ${server} to ${stranger.who}, since containerd offers it to whatever mirror it asks`;
      return [{ path, message, repair: 'take it out', subject: `${server}=${stranger.origin}` }];
    });
  });
}

/**
 * Who would learn a credential at this URL, beside the login servers. Only their very names count, at the port of
 * https, so that nothing hangs on how a URL is read. What is no URL at all is another's to refuse.
 */
function strangerAt(
  endpoint: string,
  servers: readonly string[],
): { readonly who: string; readonly origin: string } | undefined {
  const [, scheme, host = ''] = /^(https?):\/\/([^\s/@?#]+)(?:\/|$)/i.exec(endpoint) ?? [];
  if (scheme === undefined) return undefined;
  const origin = `${scheme}://${host}`.toLowerCase();
  if (origin.startsWith('http:')) return { who: `everybody between this node and ${host}`, origin };
  return servers.includes(host.toLowerCase().replace(/:443$/, '')) ? undefined : { who: host, origin };
}

/** Whoever answers in the name of the login server would get its credential. */
function unverifiedServers(registries: Written, servers: readonly string[]): readonly Exposure[] {
  return Object.entries(mapAt(registries, ['configs']))
    .filter(([name]) => servers.includes(withoutPort(name)))
    .filter(([, config]) => valueAt(config, ['tls', 'insecure_skip_verify']) === true)
    .map(([name]) => ({
      path: ['configs', name, 'tls', 'insecure_skip_verify'],
      message: `would show the credential of ${withoutPort(name)} to whoever answers in its name`,
      repair: 'take it out and name the CA that signed its certificate in ca_file',
      subject: `${withoutPort(name)}=insecure_skip_verify`,
    }));
}

/**
 * The mirrors to which containerd shows a login. It looks up the login for a mirror by the host and port of its URL
 * (containerd, internal/cri/server/images/image_pull.go). Mirrors of login servers are subject to
 * `consent.foreignMirrors`.
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

/** The texts of a list by their places; what is none is another's to refuse. */
function texts(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.map((item) => (typeof item === 'string' ? item : '')) : [];
}
