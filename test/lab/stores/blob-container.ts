/**
 * Emulated containers of one storage account, used with tokens of managed identities.
 *
 * Models the Blob Storage REST API (learn.microsoft.com: "Put Blob", "Get Blob", "Get Blob Properties", "List Blobs",
 * "Delete Blob", "Blob service error codes", "Authorize with Microsoft Entra ID": x-ms-version 2017-11-09 or newer,
 * and a token for https://storage.azure.com). If-None-Match: * on an existing blob is 409 BlobAlreadyExists. The data
 * actions read, add, write and delete are granted one by one, to all identities that have a role. Errors are XML with
 * the code in the header x-ms-error-code, too.
 */
import type { Entra } from '../azure/entra.ts';
import type { Incoming, Reply } from '../azure/loopback.ts';
import { type Kept, pageOf } from './kept.ts';

/** The properties that every blob on a page has, and Slipway does not read. */
const usual =
  '<BlobType>BlockBlob</BlobType><AccessTier>Hot</AccessTier><AccessTierInferred>true</AccessTierInferred><LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState><ServerEncrypted>true</ServerEncrypted>';

export type DataAction = 'read' | 'add' | 'write' | 'delete';

/** A storage account with one container; tests may change its fields. */
export class BlobAccount {
  readonly blobs = new Map<string, Kept>();
  /** The names of blobs that exist, but are not shown yet. */
  readonly hidden = new Set<string>();
  rights: readonly DataAction[] = ['read', 'add', 'write', 'delete'];
  /** False if the container is missing. */
  exists = true;
  /** True if the firewall of the account refuses every address. */
  closed = false;
  /** True if a policy forbids to delete or replace blobs. */
  immutable = false;
  /** The most blobs on a page of a list. */
  pageSize = 5_000;
  readonly #container: string;
  readonly #entra: Entra;
  readonly #hasRole: (objectId: string) => boolean;

  /** `hasRole` is true for an identity that has a role on the account; by default, every identity has one. */
  constructor(container: string, entra: Entra, hasRole: (objectId: string) => boolean = () => true) {
    this.#container = container;
    this.#entra = entra;
    this.#hasRole = hasRole;
  }

  answer(request: Incoming): Reply {
    const [, container = '', ...parts] = request.url.pathname.split('/');
    const refusal = this.#refusal(request, container);
    if (refusal !== undefined) {
      return refusal;
    }
    const name = decodeURIComponent(parts.join('/'));
    if (name === '') {
      return this.#list(request);
    }
    switch (request.method) {
      case 'PUT':
        return this.#put(name, request);
      case 'GET':
      case 'HEAD':
        return this.#get(name);
      case 'DELETE':
        return this.#delete(name);
      default:
        return failed(405, 'UnsupportedHttpVerb');
    }
  }

  #refusal({ headers }: Incoming, container: string): Reply | undefined {
    if (this.closed) {
      return failed(403, 'AuthorizationFailure', 'This request is not authorized to perform this operation.');
    }
    const [, token = ''] = /^Bearer (\S+)$/.exec(headers.authorization ?? '') ?? [];
    if (token === '') {
      return failed(401, 'NoAuthenticationInformation');
    }
    const version = headers['x-ms-version'] ?? '';
    const caller = this.#entra.verify(token, 'https://storage.azure.com');
    if (!(version >= '2017-11-09') || !caller.valid) {
      return failed(401, 'InvalidAuthenticationInfo', 'Server failed to authenticate the request.');
    }
    if (Number.isNaN(Date.parse(headers['x-ms-date'] ?? ''))) {
      return failed(400, 'MissingRequiredHeader', 'x-ms-date');
    }
    if (!this.#hasRole(caller.objectId)) {
      return mismatch;
    }
    return this.exists && container === this.#container ? undefined : failed(404, 'ContainerNotFound');
  }

  #may(...actions: readonly DataAction[]): boolean {
    return actions.some((action) => this.rights.includes(action));
  }

  #put(name: string, { headers, raw }: Incoming): Reply {
    if (headers['x-ms-blob-type'] !== 'BlockBlob') {
      return failed(400, 'MissingRequiredHeader', 'x-ms-blob-type');
    }
    if (headers['content-length'] !== String(raw.length)) {
      return failed(411, 'MissingContentLengthHeader');
    }
    if (!this.#may('add', 'write')) {
      return mismatch;
    }
    if (this.blobs.has(name)) {
      const known = headers['if-none-match'] === '*' ? failed(409, 'BlobAlreadyExists') : undefined;
      const refused = this.#may('write') ? known : failed(403, 'UnauthorizedBlobOverwrite');
      if (refused !== undefined || this.immutable) {
        return refused ?? failed(409, 'BlobImmutableDueToPolicy');
      }
    }
    this.blobs.set(name, { content: raw, sha256: headers['x-ms-meta-sha256'], modifiedAt: Date.now() });
    return { status: 201 };
  }

  #get(name: string): Reply {
    if (!this.#may('read')) {
      return mismatch;
    }
    const found = this.blobs.get(name);
    if (found === undefined || this.hidden.has(name)) {
      return failed(404, 'BlobNotFound');
    }
    const metadata = found.sha256 === undefined ? {} : { 'x-ms-meta-sha256': found.sha256 };
    const headers = { 'content-type': 'application/octet-stream', ...metadata };
    return { status: 200, headers, body: found.content };
  }

  #delete(name: string): Reply {
    if (!this.#may('delete')) {
      return mismatch;
    }
    if (this.immutable && this.blobs.has(name)) {
      return failed(409, 'BlobImmutableDueToPolicy');
    }
    return this.blobs.delete(name) ? { status: 202 } : failed(404, 'BlobNotFound');
  }

  #list({ method, url }: Incoming): Reply {
    const query = url.searchParams;
    if (method !== 'GET' || query.get('restype') !== 'container' || query.get('comp') !== 'list') {
      return failed(400, 'InvalidQueryParameterValue');
    }
    if (!this.#may('read')) {
      return mismatch;
    }
    const prefix = query.get('prefix') ?? '';
    const { objects, next } = pageOf(this.blobs, {
      prefix,
      start: query.get('marker') ?? '',
      size: Math.min(Number(query.get('maxresults') ?? 5_000), this.pageSize),
    });
    const blobs = objects.map(([name, { content, modifiedAt }]) => {
      const modified = new Date(modifiedAt).toUTCString();
      return `<Blob><Name>${name}</Name><Properties><Creation-Time>${modified}</Creation-Time><Last-Modified>${modified}</Last-Modified><Etag>0x8DCBE0A1B2C3D4E</Etag><Content-Length>${content.length}</Content-Length><Content-Type>application/octet-stream</Content-Type><Content-Encoding /><Content-Language /><Content-CRC64 /><Content-MD5>1B2M2Y8AsgTpgAmY7PhCfg==</Content-MD5><Cache-Control /><Content-Disposition />${usual}</Properties><OrMetadata /></Blob>`;
    });
    const marker = next === undefined ? '<NextMarker />' : `<NextMarker>${next}</NextMarker>`;
    const body = `\uFEFF<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="https://x/" ContainerName="${this.#container}"><Prefix>${prefix}</Prefix><Blobs>${blobs.join('')}</Blobs>${marker}</EnumerationResults>`;
    return { status: 200, headers: { 'content-type': 'application/xml' }, body };
  }
}

const mismatch = failed(
  403,
  'AuthorizationPermissionMismatch',
  'This request is not authorized to perform this operation using this permission.',
);

function failed(status: number, code: string, message = `The request failed with ${code}.`): Reply {
  const body = `\uFEFF<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message}\nRequestId:1</Message></Error>`;
  return { status, headers: { 'content-type': 'application/xml', 'x-ms-error-code': code }, body };
}
