/**
 * Emulated Azure blob storage behind the registries, to which a registry redirects downloads of blobs (307).
 *
 * Models "Service SAS" (azure rest-api-specs: se, sig, sp=r, spr, sr=b, sv in the query), "Get Blob" (Range, 206) and
 * the URLs that distribution's azure driver makes, valid for 20 minutes. A request that still has the registry's
 * Authorization header gets 400 InvalidAuthenticationInfo (distribution/distribution #3574, Azure/acr #217). Every
 * storage account has the DNS suffix of the public cloud.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { type Faults, type Incoming, type LoggedRequest, type Reply, startLoopback } from './loopback.ts';
import type { ServerCertificate } from './tls.ts';

export const storageSuffix = 'blob.core.windows.net';

interface Account {
  readonly loginServer: string;
  readonly faults: Faults;
  readonly now: () => number;
  /** Returns the content of the registry's blob with this digest; `undefined` if it is missing. */
  readonly read: (digest: string) => Buffer | undefined;
}

/** The storage account of one registry; tests may change its writable fields while the server runs. */
export class BlobStorage {
  readonly host: string;
  /** The faults of the server that serves all accounts. */
  readonly faults: Faults;
  /** True if the account refuses requests from every address, as its firewall can. */
  closed = false;
  /** The lifetime of a signed URL, in milliseconds. */
  urlLifetime = 20 * 60_000;
  /** The issued signatures, oldest first; each of them gives access to a blob. */
  readonly signatures: string[] = [];
  readonly #account: Account;
  readonly #container: string;
  readonly #key = randomBytes(32);

  constructor(account: Account) {
    const id = createHash('md5').update(account.loginServer).digest('hex');
    this.#account = account;
    this.#container = `${id}-${id.slice(0, 10)}`;
    this.faults = account.faults;
    this.host = `weumanaged${Number.parseInt(id.slice(0, 6), 16)}.${storageSuffix}`;
  }

  /** Returns a URL that gives anyone access to a blob until the URL expires. */
  signedUrl(digest: string): string {
    const hex = digest.replace(/^sha256:/, '');
    const path = `/${this.#container}//docker/registry/v2/blobs/sha256/${hex.slice(0, 2)}/${hex}/data`;
    const end = new Date(this.#account.now() + this.urlLifetime).toISOString().replace(/\.\d+Z$/, 'Z');
    const signature = this.#sign(path, end);
    this.signatures.push(signature);
    const query = { se: end, sig: signature, sp: 'r', spr: 'https', sr: 'b', sv: '2018-03-28' };
    return `https://${this.host}${path}?${new URLSearchParams(query)}`;
  }

  answer({ method, url, headers }: Incoming): Reply {
    if (this.closed) {
      return failed(403, 'AuthorizationFailure', 'This request is not authorized.');
    }
    if (headers.authorization !== undefined) {
      return badAuthorization;
    }
    const end = url.searchParams.get('se') ?? '';
    const isSigned = url.searchParams.get('sig') === this.#sign(url.pathname, end);
    if (!isSigned || !(Date.parse(end) > this.#account.now()) || !['GET', 'HEAD'].includes(method)) {
      return failed(403, 'AuthenticationFailed', 'Server failed to authenticate the request.');
    }
    const [, hex = ''] = /\/sha256\/[0-9a-f]{2}\/([0-9a-f]{64})\/data$/.exec(url.pathname) ?? [];
    const content = this.#account.read(`sha256:${hex}`);
    if (!content) {
      return failed(404, 'BlobNotFound', 'The specified blob does not exist.');
    }
    return part(content, headers.range);
  }

  #sign(path: string, end: string): string {
    return createHmac('sha256', this.#key)
      .update(`r\n${end}\n${path}\nhttps\n2018-03-28\nb`)
      .digest('base64');
  }
}

export interface BlobStorageOptions {
  readonly log: LoggedRequest[];
  readonly tls: ServerCertificate;
  readonly faults: Faults;
  readonly accounts: readonly BlobStorage[];
}

export function startBlobStorage({ log, tls, faults, accounts }: BlobStorageOptions) {
  const answer = (request: Incoming) => {
    const account = accounts.find(({ host }) => host === request.host);
    return account ? account.answer(request) : { status: 404, body: '' };
  };
  return startLoopback({ name: 'storage', log, faults, tls, answer });
}

/** Returns the whole blob, the one requested range (RFC 9110, section 14.2), or 416 for a range beyond the end. */
function part(content: Buffer, range: string | undefined): Reply {
  const headers = { 'content-type': 'application/octet-stream', 'accept-ranges': 'bytes' };
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
  if (from === undefined) {
    return { status: 200, headers, body: content };
  }
  const last = Math.min(to ? Number(to) : content.length, content.length - 1);
  if (Number(from) > last) {
    return failed(416, 'InvalidRange', 'The range specified is invalid for the current size.');
  }
  const body = content.subarray(Number(from), last + 1);
  return {
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${from}-${last}/${content.length}` },
    body,
  };
}

const badAuthorization = failed(
  400,
  'InvalidAuthenticationInfo',
  'Authentication information is not given in the correct format. Check the value of Authorization header.',
);

function failed(status: number, code: string, message: string): Reply {
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  return { status, headers: { 'content-type': 'application/xml', 'x-ms-error-code': code }, body };
}
