import { quoted } from '../../clouds/answers.ts';
import type { CloudStorage } from '../../clouds/cloud-storage.ts';
import { NodeError } from '../../engine/errors.ts';
import type { HostReader, HttpResponse } from '../../engine/host.ts';
import type { Page, Protocol, Verdict } from '../protocol.ts';
import { usualRefusal } from '../store-errors.ts';
import { xmlElements, xmlText } from '../xml-text.ts';

/** The version of the REST API. Tokens need 2017-11-09 or newer, blobs of 5000 MiB 2019-12-12 or newer. */
const version = '2021-12-02';

/** The largest number of blobs on a page. The service's own, 5000, makes an answer that the Host refuses to read. */
const mostOnPage = '1000';

/**
 * Makes the protocol of Azure Blob Storage for the container in an address. Source: learn.microsoft.com, "Blob Storage
 * REST API" (Put Blob, Get Blob, List Blobs, Delete Blob, "Blob service error codes").
 */
export function blobProtocol(to: URL, storage: CloudStorage, host: HostReader): Protocol {
  const [, container = '', ...parts] = to.pathname.split('/');
  const [account] = to.hostname.split('.');
  const place = `the container ${container} of the storage account ${account}`;
  return {
    name: place,
    within: parts.map((part) => `${part}/`).join(''),
    largest: 5_000 * 1024 ** 2,
    urlOf: async (key) => `${to.origin}/${container}/${key}`,
    async listUrl(prefix, marker) {
      const query = {
        ...{ restype: 'container', comp: 'list', prefix, maxresults: mostOnPage },
        ...(marker && { marker }),
      };
      return `${to.origin}/${container}?${new URLSearchParams(query)}`;
    },
    creating: (sha256) => ({
      'if-none-match': '*',
      'x-ms-blob-type': 'BlockBlob',
      'x-ms-meta-sha256': sha256,
      'content-type': 'application/octet-stream',
    }),
    authorize: async ({ method, url, headers }) => ({
      ...headers,
      'x-ms-version': version,
      'x-ms-date': new Date(host.now()).toUTCString(),
      ...(await storage.authorize({ method, url })),
    }),
    forget: () => storage.forget(),
    digestOf: ({ headers }) => headers['x-ms-meta-sha256'],
    readPage,
    verdict,
    refused: (response, judged) => refused(response, judged, place, host.now()),
  };
}

/** Returns the error code of an answer; an empty string if the answer has none. HEAD has it in the header only. */
function codeOf({ headers, body }: HttpResponse): string {
  return headers['x-ms-error-code'] ?? xmlText(body, 'Code') ?? '';
}

function verdict(response: HttpResponse): Verdict {
  if ([200, 201, 202].includes(response.status)) {
    return 'done';
  }
  return verdicts[codeOf(response)] ?? 'failed';
}

/** A role without the right to write refuses to replace a blob, whatever the condition of the request. */
const verdicts: Readonly<Record<string, Verdict>> = {
  BlobAlreadyExists: 'exists',
  UnauthorizedBlobOverwrite: 'exists',
  BlobNotFound: 'missing',
  ContainerNotFound: 'nowhere',
  AuthorizationPermissionMismatch: 'forbidden',
  BlobImmutableDueToPolicy: 'forbidden',
};

function readPage(body: string): Page | undefined {
  if (!body.includes('<EnumerationResults')) {
    return undefined;
  }
  const objects = xmlElements(body, 'Blob').map((blob) => ({
    name: xmlText(blob, 'Name') ?? '',
    bytes: Number(xmlText(blob, 'Content-Length')),
    modifiedAt: Date.parse(xmlText(blob, 'Last-Modified') ?? ''),
  }));
  return { objects, next: xmlText(body, 'NextMarker') };
}

function refused(response: HttpResponse, judged: Verdict, place: string, now: number): NodeError {
  const code = codeOf(response);
  const says = quoted(xmlText(response.body, 'Message') || code);
  if (response.status === 401) {
    return new NodeError(
      'StoreForbidden',
      `The identity of this VM is not accepted by ${place}.${says} The storage account must belong to the tenant of the VM; check azure.environment and the clock of this VM.`,
    );
  }
  if (response.status === 403 && code === 'AuthorizationFailure') {
    return new NodeError(
      'StoreForbidden',
      `The firewall of the storage account refuses this VM the use of ${place}.${says} Allow the VM's subnet in the account's networking settings, or give the account a private endpoint.`,
    );
  }
  const permit =
    'Assign the identity of this VM the role Storage Blob Data Contributor on the container, or the create-only role in docs/usage/backup.md; that can take ten minutes to work.';
  return usualRefusal(response, judged, { store: place, place, permit, says }, now);
}
