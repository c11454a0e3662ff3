/** The forms of `datastore-endpoint`, as Kine reads them (pkg/drivers). No message quotes a part of an endpoint. */

/** An external datastore of K3s. */
export interface DatastoreEndpoint {
  readonly kind: 'PostgreSQL' | 'MySQL' | 'etcd' | 'NATS';
  /** The TCP addresses of the servers; empty for a socket of this machine. */
  readonly hosts: readonly HostAndPort[];
  /**
   * The place of the data: the kind, the hosts and the name of the database, without the login and other parameters.
   * K3s finds the same cluster as long as the place stays the same.
   */
  readonly place: string;
  /** True if the endpoint asks for a connection with TLS. Certificates in the settings may ask for TLS as well. */
  readonly isEncrypted: boolean;
}

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** Parses an endpoint. Returns a clause that states the fault and its repair if K3s could not use the endpoint. */
export function parseEndpoint(text: string): DatastoreEndpoint | string {
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/s.exec(text) ?? [];
  if (/[\s\p{Cc}]/u.test(text)) {
    return `contains a blank or a control character; ${encoded}`;
  }
  if (scheme === '') {
    return `does not begin with a scheme; write it as ${forms}`;
  }
  const parse = Object.hasOwn(schemes, scheme) ? schemes[scheme] : undefined;
  return parse === undefined ? unknownScheme(scheme) : parse(rest, scheme);
}

/** Returns the place of an endpoint, or the endpoint itself if it has an unknown form. */
export function placeOf(text: string): string {
  const parsed = parseEndpoint(text);
  return typeof parsed === 'string' ? text : parsed.place;
}

const forms =
  'postgres://USER:PASSWORD@HOST:5432/DATABASE, mysql://USER:PASSWORD@tcp(HOST:3306)/DATABASE, https://HOST:2379 or nats://HOST:4222';
const encoded =
  'write special characters in the login with percent-encoding, such as %40 for @ and %2F for /';

type Parse = (rest: string, scheme: string) => DatastoreEndpoint | string;

const schemes: Readonly<Record<string, Parse>> = {
  postgres,
  postgresql: postgres,
  mysql,
  https: etcd,
  http: () => 'uses etcd without TLS, so that every Secret crosses the network unprotected; use https://',
  nats,
};

function unknownScheme(scheme: string): string {
  return scheme === 'sqlite'
    ? 'names SQLite, which is not an external datastore; set k3s.datastore to sqlite, or store another endpoint'
    : `has an unknown scheme; write it as ${forms}`;
}

function postgres(rest: string): DatastoreEndpoint | string {
  const url = urlOf(rest);
  if (typeof url === 'string') {
    return url;
  }
  const hosts = hostsOf(url.hosts, 5432);
  // Kine folds the name to lower case, and its default is kubernetes (pgsql.go, prepareConfig).
  const database = url.path.toLowerCase() || 'kubernetes';
  const schema = url.query.get('search_path');
  const mode = url.query.get('sslmode') ?? 'prefer';
  return found('PostgreSQL', hosts, `${database}${schema === null ? '' : `?search_path=${schema}`}`, {
    isEncrypted: !['disable', 'allow', 'prefer'].includes(mode),
  });
}

/** Matches the address of a MySQL server (go-sql-driver, ParseDSN): a protocol with an address in parentheses. */
const mysqlAddress = /^(tcp|unix)\(([^()]+)\)$/;

function mysql(rest: string): DatastoreEndpoint | string {
  // The driver looks for the last slash, and then for the last @ before it; a password may contain both.
  const slash = rest.lastIndexOf('/');
  const before = rest.slice(0, slash);
  const address = before.slice(before.lastIndexOf('@') + 1);
  const [, protocol, name = ''] = mysqlAddress.exec(address) ?? [];
  if (slash < 0 || protocol === undefined) {
    return 'is not in the form of MySQL; write mysql://USER:PASSWORD@tcp(HOST:3306)/DATABASE, with the parentheses';
  }
  const [database = ''] = rest.slice(slash + 1).split('?');
  const hosts = protocol === 'unix' ? [] : hostsOf(name, 3306);
  return found('MySQL', hosts, `${protocol === 'unix' ? name : ''}${database || 'kubernetes'}`, {
    isEncrypted: false,
  });
}

function etcd(rest: string): DatastoreEndpoint | string {
  const parts = rest.split(/,https:\/\//);
  const names = parts.map((part) => part.replace(/\/$/, ''));
  if (names.some((name) => /[@/?#,]/.test(name))) {
    return 'is not in the form of etcd; write https://HOST:2379,https://HOST:2379, and set datastore.certFile for the login';
  }
  return found('etcd', hostsOf(names.join(','), 2379), '', { isEncrypted: true });
}

function nats(rest: string): DatastoreEndpoint | string {
  const [first = '', ...more] = rest.split(/,nats:\/\//);
  const urls = [first, ...more].map(urlOf);
  const [url] = urls;
  if (url === undefined || typeof url === 'string') {
    return String(url);
  }
  const names = urls.flatMap((each) => (typeof each === 'string' ? [] : [each.hosts]));
  const bucket = url.query.get('bucket') ?? 'kine';
  return found('NATS', hostsOf(names.join(','), 4222), bucket, { isEncrypted: false });
}

function found(
  kind: DatastoreEndpoint['kind'],
  hosts: readonly HostAndPort[] | string,
  name: string,
  { isEncrypted }: Pick<DatastoreEndpoint, 'isEncrypted'>,
): DatastoreEndpoint | string {
  if (typeof hosts === 'string') {
    return hosts;
  }
  const addresses = hosts.map(({ host, port }) => `${host.toLowerCase()}:${port}`).sort();
  return { kind, hosts, place: `${kind} ${addresses.join(',')}/${name}`, isEncrypted };
}

interface Url {
  /** The hosts with their ports, separated by commas. */
  readonly hosts: string;
  /** The path without its first slash. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/**
 * Splits a URL after its scheme as Go does (net/url): the authority ends at the first slash, and the login in it at the
 * last @.
 */
function urlOf(rest: string): Url | string {
  const [, authority = '', path = '', query = ''] =
    /^([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?(?:#.*)?$/s.exec(rest) ?? [];
  const at = authority.lastIndexOf('@');
  const login = at < 0 ? '' : authority.slice(0, at);
  const isMisread = at < 0 && rest.includes('@');
  if (isMisread || !/^(?:[\w.~!$&'()*+,;=:@-]|%[0-9a-f]{2})*$/i.test(login)) {
    return `has a character in its login that a URL cannot have; ${encoded}`;
  }
  return { hosts: authority.slice(at + 1), path, query: new URLSearchParams(query) };
}

/** Parses a list such as `db1:5432,[fd00::5],db2`; returns a clause about the fault in it. */
function hostsOf(text: string, usual: number): readonly HostAndPort[] | string {
  const hosts: HostAndPort[] = [];
  for (const each of text.split(',')) {
    const [, bracketed, plain, port = String(usual)] =
      /^(?:\[([0-9a-f:.%]+)\]|([\w.-]+))(?::(\d{1,5}))?$/i.exec(each) ?? [];
    const host = bracketed ?? plain;
    if (host === undefined || Number(port) > 65_535) {
      return `has no valid host and port; write it as ${forms}`;
    }
    hosts.push({ host, port: Number(port) });
  }
  return hosts;
}
