import { describe, expect, test } from 'vitest';
import {
  apiVersion,
  registryHost,
  requestedServer,
} from '../../../../../../src/agent/parts/registry/answer/request.ts';

const request = { kind: 'CredentialProviderRequest', apiVersion, image: 'team.azurecr.io/base:1' };

/** Returns a request as kubelet encodes it, with a newline at the end. */
function text(changes: object = {}): string {
  return `${JSON.stringify({ ...request, ...changes })}\n`;
}

describe('requestedServer returns', () => {
  test.each([
    ['the registry of the image', text()],
    ['the registry of a request with unknown fields', text({ serviceAccountToken: 'x', podName: { a: 1 } })],
    [
      'the registry of an image with a digest',
      text({ image: `team.azurecr.io/base@sha256:${'0'.repeat(64)}` }),
    ],
  ])('%s', (_, given) => {
    expect(requestedServer(given)).toBe('team.azurecr.io');
  });
});

describe('requestedServer throws an error with a repair for', () => {
  test.each([
    ['empty text', '', /empty; kubelet calls/],
    ['white space', ' \n', /empty; kubelet calls/],
    ['text that is not JSON', 'team.azurecr.io', /not JSON; kubelet calls/],
    ['a truncated request', text().slice(0, 40), /not JSON/],
    ['two requests', text() + text(), /not JSON/],
    ['null', 'null', /not a CredentialProviderRequest/],
    ['a list', '[]', /not a CredentialProviderRequest/],
    [
      'a request with a different kind',
      text({ kind: 'CredentialProviderResponse' }),
      /not a CredentialProviderRequest/,
    ],
    [
      'a request with a different apiVersion',
      text({ apiVersion: 'credentialprovider.kubelet.k8s.io/v1beta1' }),
      /v1beta1", but cred.*\/v1 is/,
    ],
    ['a request without an apiVersion', text({ apiVersion: undefined }), /\(none\), but/],
    ['a request with an apiVersion that is not a string', text({ apiVersion: { v: 1 } }), /\(none\), but/],
    ['a request with a very long apiVersion', text({ apiVersion: 'v'.repeat(5_000) }), /^.{1,400}$/],
    ['a request without an image', text({ image: undefined }), /names no image/],
    ['a request with an empty image', text({ image: '' }), /names no image/],
    ['a request with an image that is not a string', text({ image: ['a.io/b'] }), /names no image/],
  ])('%s', (_, given, message) => {
    expect(() => requestedServer(given)).toThrow(message);
  });

  test('text that is not JSON, without quoting the text', () => {
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
])('for the image %s, registryHost returns %s', (image, host) => {
  expect(registryHost(image)).toBe(host);
});
