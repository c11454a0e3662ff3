import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { clouds } from '../../../../../../src/agent/clouds/index.ts';
import { NodeError } from '../../../../../../src/agent/engine/errors.ts';
import type { HttpResponse, HttpSend } from '../../../../../../src/agent/engine/host.ts';
import { reveal, Secret } from '../../../../../../src/agent/engine/secret.ts';
import { systemError } from '../../../../../../src/agent/host/files/file-errors.ts';
import { recordingHost } from '../../../../../../src/agent/host/recording/recording-host.ts';
import { parseImage } from '../../../../../../src/agent/parts/registry/oci/registry-manifest.ts';
import { pull } from '../../../../../../src/agent/parts/registry/oci/registry-pull.ts';
import { logIn } from '../../../../../../src/agent/parts/registry/oci/registry-session.ts';
import { datedToken } from '../../../../../lab/fake-cloud.ts';
import { type MemoryHost, memoryHost } from '../../../../../lab/memory-host.ts';
import { type MemoryRegistry, memoryRegistry, storage } from '../../../../../lab/memory-registry.ts';

const server = 'team.azurecr.io';
const image = parseImage(`${server}/base/alpine:3.22`);
const registryUrl = (path: string) => `https://${server}/v2/base/alpine/${path}`;

interface World {
  readonly host: MemoryHost;
  readonly registry: MemoryRegistry;
  readonly digest: string;
  /** All requests with their real headers. */
  readonly sent: HttpSend[];
  readonly pull: (arch?: 'x64' | 'arm64') => ReturnType<typeof pull>;
  readonly logIn: () => Promise<boolean>;
}

function world(): World {
  const host = memoryHost();
  const registry = memoryRegistry(host, server);
  const digest = registry.push('base/alpine', '3.22', 100_000);
  const password = new Secret(datedToken(host.now(), 3 * 3_600_000, 'canary'));
  const sent: HttpSend[] = [];
  const send = host.send.bind(host);
  host.send = (request) => {
    sent.push(request);
    return send(request);
  };
  const session = { host, server, login: { username: 'user', password }, hints: clouds.azure.hints };
  return {
    host,
    registry,
    digest,
    sent,
    pull: (arch = 'x64') => pull(session, image, arch),
    logIn: () => logIn(session),
  };
}

function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** Replaces the registry's answer to requests for `url` that contain a credential. */
function once(world: World, url: string | RegExp, answer: Partial<HttpResponse> | Error): void {
  world.host.onGet(url, (request) =>
    request.headers?.authorization ? answer : world.registry.answer(request),
  );
}

describe('a pull', () => {
  test('sends a request without a credential, then with a token, and follows the layer to its storage', async () => {
    const { pull, sent, host, digest } = world();
    expect(await pull()).toEqual({
      digest,
      layers: 1,
      layer: 1,
      bytes: 65_536,
      size: 100_000,
      from: storage,
      anonymous: false,
    });
    const shown = ({ url, headers = {} }: HttpSend) =>
      `${new URL(url).host}${new URL(url).pathname.replace(/sha256:.*/, 'DIGEST')} ${reveal(headers.authorization ?? '').split(' ')[0]}`;
    expect(sent.map(shown)).toEqual([
      `${server}/v2/base/alpine/manifests/3.22 `,
      `${server}/oauth2/token Basic`,
      `${server}/v2/base/alpine/manifests/3.22 Bearer`,
      `${server}/v2/base/alpine/blobs/DIGEST Bearer`,
      `${storage}/${server}/DIGEST `,
    ]);
    expect(Object.fromEntries(new URL(sent[1]?.url ?? '').searchParams)).toEqual({
      service: server,
      scope: 'repository:base/alpine:pull',
    });
    expect(sent[0]?.headers?.accept).toMatch(
      /oci\.image\.index.*oci\.image\.manifest.*manifest\.list.*distribution\.manifest/,
    );
    expect(
      sent.every(({ headers: { authorization = new Secret('') } = {} }) => authorization instanceof Secret),
    ).toBe(true);
    expect(inspect(host.journal.map((action) => ({ ...action, url: '' })))).not.toMatch(/canary|eyJ/);
  });

  const manifest = (size: number) =>
    JSON.stringify({
      layers: [
        { digest: 'sha256:1a', size },
        { digest: 'sha256:2b', size: 1 },
      ],
    });
  const index = (...architectures: readonly string[]) =>
    JSON.stringify({
      manifests: architectures.map((architecture) => ({
        digest: digestOf(manifest(7)),
        platform: { os: 'linux', architecture },
      })),
    });

  test.each([
    ['x64', 'amd64'],
    ['arm64', 'arm64'],
  ] as const)('selects the manifest for %s from an index', async (arch, architecture) => {
    const made = world();
    const body = index('s390x', architecture);
    once(made, registryUrl('manifests/3.22'), { body });
    once(made, registryUrl(`manifests/${digestOf(manifest(7))}`), { body: manifest(7) });
    once(made, registryUrl('blobs/sha256:1a'), { status: 206, headers: { 'content-range': 'bytes 0-6/7' } });
    expect(await made.pull(arch)).toMatchObject({
      digest: digestOf(body),
      layers: 2,
      bytes: 7,
      size: 7,
      from: server,
    });
  });

  test.each([
    ['the whole layer at once', { status: 200, headers: { 'content-length': '7' } }],
    ['a layer of unknown length', { status: 200 }],
    ['a part of a layer of unknown length', { status: 206, headers: { 'content-range': 'bytes 0-6/*' } }],
  ])('accepts %s', async (_what, answer) => {
    const made = world();
    once(made, registryUrl('manifests/3.22'), { body: manifest(7) });
    once(made, registryUrl('blobs/sha256:1a'), answer);
    expect(await made.pull()).toMatchObject({ bytes: 7, size: 7, from: server });
  });

  test('skips an empty layer', async () => {
    const made = world();
    once(made, registryUrl('manifests/3.22'), { body: manifest(0) });
    once(made, registryUrl('blobs/sha256:2b'), { status: 206, headers: { 'content-range': 'bytes 0-0/1' } });
    expect(await made.pull()).toMatchObject({ layer: 2, layers: 2, bytes: 1, size: 1 });
  });

  test('keeps its credential if a redirect stays on the login server', async () => {
    const made = world();
    once(made, registryUrl('manifests/3.22'), { body: manifest(7) });
    once(made, registryUrl('blobs/sha256:1a'), { status: 302, headers: { location: '/v2/there' } });
    once(made, `https://${server}/v2/there`, { status: 206, headers: { 'content-range': 'bytes 0-6/7' } });
    expect(await made.pull()).toMatchObject({ bytes: 7 });
  });

  test('sends user and password if the registry requires them', async () => {
    const made = world();
    const challenge = { status: 401, headers: { 'www-authenticate': 'Basic realm="Registry"' } };
    made.host.onGet(/\/v2\//, ({ url, headers = {} }) => {
      if (!reveal(headers.authorization ?? '').startsWith('Basic ')) {
        return challenge;
      }
      return url.includes('/blobs/') ? { headers: { 'content-length': '7' } } : { body: manifest(7) };
    });
    expect(await made.pull()).toMatchObject({ bytes: 7, anonymous: false });
  });

  test('reports that it needed no credential if the registry asks for none', async () => {
    const made = world();
    made.host.onGet(/\/v2\//, ({ url }) =>
      url.includes('/blobs/') ? { headers: { 'content-length': '7' } } : { body: manifest(7) },
    );
    expect(await made.pull()).toMatchObject({ anonymous: true });
    expect(await made.logIn()).toBe(false);
  });

  test('is only recorded in a dry run', async () => {
    const { host } = world();
    const dry = recordingHost(host);
    const login = { username: 'user', password: new Secret('canary') };
    await expect(
      pull({ host: dry, server, login, hints: clouds.azure.hints }, image, 'x64'),
    ).rejects.toMatchObject({
      name: 'Recorded',
    });
    expect(dry.journal).toEqual([{ kind: 'send', method: 'GET', url: registryUrl('manifests/3.22') }]);
    expect(host.journal).toEqual([]);
  });

  const error = (status: number, message = 'said it', headers = {}) => ({
    status,
    headers,
    body: JSON.stringify({ errors: [{ code: 'CODE', message }] }),
  });
  const blob = (answer: Partial<HttpResponse> | Error) => (made: World) => once(made, /\/blobs\//, answer);
  const stored =
    (answer: Partial<HttpResponse> | Error) =>
    ({ host }: World) =>
      host.onGet(new RegExp(`^https://${storage}/`), answer);
  const token =
    (answer: Partial<HttpResponse> | Error) =>
    ({ host }: World) =>
      host.onGet(new RegExp(`^https://${server}/oauth2/token`), answer);
  const tag = (answer: Partial<HttpResponse> | Error) => (made: World) =>
    once(made, registryUrl('manifests/3.22'), answer);
  const challenge =
    (header: string) =>
    ({ host }: World) =>
      host.onGet(/\/manifests\//, { status: 401, headers: { 'www-authenticate': header } });
  const unreachable = new NodeError('Unreachable', 'Cannot reach it.');

  test.each<readonly [string, (made: World) => unknown, string, string, RegExp]>([
    [
      'a credential that is refused',
      token(error(401)),
      'PullCredentialRefused',
      'person',
      /registries\.yaml holds.*said it/,
    ],
    [
      'a login that has expired',
      ({ host }) => host.advance(4 * 3_600_000),
      'PullCredentialRefused',
      'person',
      /within ten minutes.*systemctl reload slipway\.$/,
    ],
    [
      'a login without permission',
      ({ registry }) => Object.assign(registry, { denied: true }),
      'PullDenied',
      'person',
      /repository:base\/alpine:pull.*authentication required.*AcrPull.*Repository Reader/,
    ],
    [
      'a token that the registry refuses for the manifest',
      tag(error(401)),
      'PullDenied',
      'person',
      /base\/alpine:3\.22.*said it.*AcrPull/,
    ],
    ['status 403 for the manifest', tag(error(403)), 'PullDenied', 'person', /said it.*AcrPull/],
    ['status 403 for a layer', blob(error(403)), 'PullDenied', 'person', /said it/],
    [
      'a firewall that blocks the whole registry',
      ({ registry }) => Object.assign(registry, { closed: true }),
      'RegistryForbidden',
      'person',
      /10\.0\.0\.5.*subnet.*private endpoint/,
    ],
    [
      'a firewall that starts to block during the pull',
      tag(error(403, "client with IP '10.0.0.5' is not allowed")),
      'RegistryForbidden',
      'person',
      /subnet/,
    ],
    [
      'a missing image',
      tag(error(404)),
      'ProofImageNotFound',
      'person',
      /base\/alpine:3\.22 .*does not have it.*registries\.proof/,
    ],
    ['a missing layer', blob(error(404)), 'ProofImageNotFound', 'person', /first layer/],
    [
      'an image for another architecture',
      tag({ body: index('s390x') }),
      'ProofImageNotFound',
      'person',
      /linux\/amd64/,
    ],
    ['an image without layers', tag({ body: '{"layers":[]}' }), 'ProofImageNotFound', 'person', /no layers/],
    [
      'an image with only empty layers',
      tag({ body: '{"layers":[{"digest":"sha256:1a","size":0}]}' }),
      'ProofImageNotFound',
      'person',
      /no layers/,
    ],
    [
      'an index whose manifest is missing',
      (made) => {
        tag({ body: index('amd64') })(made);
        once(made, registryUrl(`manifests/${digestOf(manifest(7))}`), error(404));
      },
      'ProofImageNotFound',
      'person',
      /does not have it/,
    ],
    [
      'a storage host whose name does not resolve',
      stored(new NodeError('Unreachable', 'ENOTFOUND.', { cause: systemError('ENOTFOUND') })),
      'StorageUnreachable',
      'time',
      /eu1\.blob\.core\.windows\.net.*ENOTFOUND.*data\.azurecr\.io.*DNS/,
    ],
    [
      'a storage host that does not answer',
      stored(new NodeError('TimedOut', 'No answer.')),
      'StorageUnreachable',
      'time',
      /eu1\.blob.*No answer/,
    ],
    [
      'a storage host that refuses the request',
      ({ registry }) => Object.assign(registry, { storage: 'refuses' }),
      'StorageUnreachable',
      'person',
      /eu1\.blob.*answers 403/,
    ],
    ['a storage host that answers 503', stored(error(503)), 'StorageUnreachable', 'time', /answers 503/],
    [
      'a storage host with an untrusted certificate',
      stored(new NodeError('TlsUntrusted', 'no')),
      'TlsUntrusted',
      'person',
      /eu1\.blob.*network\.caFile/,
    ],
    [
      'a storage host that sends more than 4 MiB',
      stored(new NodeError('UnexpectedAnswer', 'more than 4 MiB')),
      'UnexpectedAnswer',
      'person',
      /4 MiB/,
    ],
    [
      'a storage host that sends part of a different layer',
      stored({ status: 206, headers: { 'content-range': 'bytes 0-65535/99999' } }),
      'UnexpectedAnswer',
      'person',
      /another layer/,
    ],
    [
      'a storage host that sends the whole of a different layer',
      stored({ status: 200, headers: { 'content-length': '12' } }),
      'UnexpectedAnswer',
      'person',
      /another layer/,
    ],
    [
      'status 206 without Content-Range',
      stored({ status: 206 }),
      'UnexpectedAnswer',
      'person',
      /another layer/,
    ],
    [
      'a redirect to http',
      blob({ status: 307, headers: { location: 'http://169.254.169.254/x' } }),
      'UnexpectedAnswer',
      'person',
      /https/,
    ],
    [
      'a redirect to an invalid URL',
      blob({ status: 307, headers: { location: 'https://' } }),
      'UnexpectedAnswer',
      'person',
      /https/,
    ],
    [
      'endless redirects',
      stored({ status: 302, headers: { location: '/again' } }),
      'UnexpectedAnswer',
      'person',
      /more than 5 times/,
    ],
    [
      'a manifest with another digest',
      tag({ body: manifest(7), headers: { 'docker-content-digest': digestOf('x') } }),
      'UnexpectedAnswer',
      'person',
      /promises sha256:.* and sends/,
    ],
    [
      'a manifest that was replaced by another',
      (made) => {
        tag({ body: index('amd64') })(made);
        once(made, registryUrl(`manifests/${digestOf(manifest(7))}`), { body: manifest(8) });
      },
      'UnexpectedAnswer',
      'person',
      /promises sha256:.* and sends/,
    ],
    [
      'an HTML page instead of the manifest',
      tag({ body: '<html>' }),
      'UnexpectedAnswer',
      'person',
      /no manifest/,
    ],
    [
      'a registry whose name does not resolve',
      ({ host }) => host.onGet(/./, new NodeError('Unreachable', 'no', { cause: systemError('ENOTFOUND') })),
      'RegistryNotFound',
      'time',
      /team\.azurecr\.io/,
    ],
    [
      'a registry that refuses connections',
      ({ host }) => host.onGet(/./, unreachable),
      'RegistryUnavailable',
      'time',
      /cannot be reached/,
    ],
    [
      'a registry with an untrusted certificate',
      ({ host }) => host.onGet(/./, new NodeError('TlsUntrusted', 'no')),
      'TlsUntrusted',
      'person',
      /network\.caFile/,
    ],
    ['status 500 from the registry', tag(error(500)), 'RegistryUnavailable', 'time', /500/],
    ['status 502 from the token endpoint', token(error(502)), 'RegistryUnavailable', 'time', /502/],
    [
      'an answer of the token endpoint without a token',
      token({ body: '{}' }),
      'UnexpectedAnswer',
      'person',
      /request for a token/,
    ],
    ['a missing token endpoint', token(error(404)), 'UnexpectedAnswer', 'person', /status 404/],
    ['status 418 for the manifest', tag({ status: 418 }), 'UnexpectedAnswer', 'person', /418/],
    [
      'a realm on another host',
      challenge('Bearer realm="https://evil.example/token",service="s"'),
      'UnexpectedAnswer',
      'person',
      /"evil\.example", and it was not shown/,
    ],
    [
      'a realm without TLS',
      challenge(`Bearer realm="http://${server}/token",service="s"`),
      'UnexpectedAnswer',
      'person',
      /not shown/,
    ],
    [
      'a realm on another port',
      challenge(`Bearer realm="https://${server}:8443/token"`),
      'UnexpectedAnswer',
      'person',
      /not shown/,
    ],
    ['a challenge of an unknown scheme', challenge('Negotiate'), 'UnexpectedAnswer', 'person', /which kind/],
    [
      'a password that is refused',
      challenge('Basic realm="Registry"'),
      'PullCredentialRefused',
      'person',
      /registries\.yaml/,
    ],
  ])('fails on %s', async (_what, arrange, reason, endedBy, says) => {
    const made = world();
    arrange(made);
    const failure = await made.pull().catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ reason, endedBy, message: expect.stringMatching(says) });
    expect(inspect(failure, { depth: 20, showHidden: true })).not.toMatch(/canary|eyJ/);
  });

  test('fails with Throttled and the Retry-After of a registry that throttles', async () => {
    const made = world();
    tag(error(429, 'slow down', { 'retry-after': '9' }))(made);
    await expect(made.pull()).rejects.toMatchObject({
      reason: 'Throttled',
      endedBy: 'time',
      retry: { after: 9_000 },
    });
  });

  test('sends its login only to the login server', async () => {
    const made = world();
    challenge('Bearer realm="https://evil.example/token"')(made);
    await made.pull().catch(() => {});
    expect(made.sent.map(({ url }) => new URL(url).host)).toEqual([server]);
  });
});

describe('a registry login', () => {
  test('requests a token without a scope after the challenge, and then logs in with the token, as docker does', async () => {
    const { logIn, sent } = world();
    expect(await logIn()).toBe(true);
    expect(sent.map(({ url }) => url)).toEqual([
      `https://${server}/v2/`,
      `https://${server}/oauth2/token?service=${server}`,
      `https://${server}/v2/`,
    ]);
  });

  test.each([
    ['a token that is refused', { status: 401 }, 'PullCredentialRefused'],
    ['status 403 after the login', { status: 403 }, 'PullCredentialRefused'],
    ['a server that is not a registry', { status: 404 }, 'UnexpectedAnswer'],
  ])('fails on %s', async (_what, answer, reason) => {
    const made = world();
    once(made, `https://${server}/v2/`, answer);
    await expect(made.logIn()).rejects.toMatchObject({ reason });
  });
});
