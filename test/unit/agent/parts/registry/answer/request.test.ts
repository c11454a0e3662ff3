import { describe, expect, test } from 'vitest';
import {
  apiVersion,
  registryHost,
  requestedServer,
} from '../../../../../../src/agent/parts/registry/answer/request.ts';

const request = { kind: 'CredentialProviderRequest', apiVersion, image: 'team.azurecr.io/base:1' };

/** As kubelet encodes it, a newline at its end. */
function text(changes: object = {}): string {
  return `${JSON.stringify({ ...request, ...changes })}\n`;
}

describe('kubelet asks for', () => {
  test.each([
    ['the registry of its image', text()],
    ['the same with fields that v1 may get', text({ serviceAccountToken: 'x', podName: { a: 1 } })],
    ['the same with a digest', text({ image: `team.azurecr.io/base@sha256:${'0'.repeat(64)}` })],
  ])('%s', (_, given) => {
    expect(requestedServer(given)).toBe('team.azurecr.io');
  });
});

describe('refused, with what to do, is', () => {
  test.each([
    ['nothing', '', /empty; kubelet calls/],
    ['blanks', ' \n', /empty; kubelet calls/],
    ['no JSON', 'team.azurecr.io', /not JSON; kubelet calls/],
    ['half a request', text().slice(0, 40), /not JSON/],
    ['two requests', text() + text(), /not JSON/],
    ['null', 'null', /not a CredentialProviderRequest/],
    ['a list', '[]', /not a CredentialProviderRequest/],
    ['another kind', text({ kind: 'CredentialProviderResponse' }), /not a CredentialProviderRequest/],
    [
      'another version',
      text({ apiVersion: 'credentialprovider.kubelet.k8s.io/v1beta1' }),
      /v1beta1", but cred.*\/v1 is/,
    ],
    ['no version', text({ apiVersion: undefined }), /\(none\), but/],
    ['a version that is no text', text({ apiVersion: { v: 1 } }), /\(none\), but/],
    ['a version without end', text({ apiVersion: 'v'.repeat(5_000) }), /^.{1,400}$/],
    ['no image', text({ image: undefined }), /names no image/],
    ['an empty image', text({ image: '' }), /names no image/],
    ['an image that is no text', text({ image: ['a.io/b'] }), /names no image/],
  ])('%s', (_, given, message) => {
    expect(() => requestedServer(given)).toThrow(message);
  });

  test('text that is not JSON, unquoted', () => {
    expect(() => requestedServer('{"password": canary}')).toThrow(/^[^{]*not JSON[^{]*$/);
  });
});

test.each([
  ['team.azurecr.io/base/alpine:3.22', 'team.azurecr.io'],
  ['team.azurecr.io/base', 'team.azurecr.io'],
  ['Team.AzureCR.io/base', 'team.azurecr.io'],
  ['team.westeurope.data.azurecr.io/base@sha256:0', 'team.westeurope.data.azurecr.io'],
  ['team.azurecr.io:443/base', 'team.azurecr.io:443'],
  ['registry:5000/base', 'registry:5000'],
  ['localhost/base', 'localhost'],
  ['[::1]:5000/base', '[::1]:5000'],
  ['alpine', 'docker.io'],
  ['alpine:3.22', 'docker.io'],
  ['team.azurecr.io', 'docker.io'],
  ['library/alpine:3.22', 'docker.io'],
  ['library/team.azurecr.io/alpine', 'docker.io'],
  ['__proto__/alpine', 'docker.io'],
])('the registry of %s is %s', (image, host) => {
  expect(registryHost(image)).toBe(host);
});
