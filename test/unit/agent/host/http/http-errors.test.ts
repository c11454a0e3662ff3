import { expect, test } from 'vitest';
import { systemError } from '../../../../../src/agent/host/files/file-errors.ts';
import { connectionError } from '../../../../../src/agent/host/http/http-errors.ts';

const url = new URL('https://user:pw@vault.test:8443/secrets/x?sig=y');

test.each([
  ['ECONNREFUSED', 'Unreachable'],
  ['ENOTFOUND', 'Unreachable'],
  ['EAI_AGAIN', 'Unreachable'],
  ['ECONNRESET', 'Unreachable'],
  ['EHOSTUNREACH', 'Unreachable'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'TlsUntrusted'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'TlsUntrusted'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'TlsUntrusted'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'TlsUntrusted'],
  ['CERT_HAS_EXPIRED', 'TlsUntrusted'],
  ['CERT_NOT_YET_VALID', 'TlsUntrusted'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'TlsUntrusted'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'TlsUntrusted'],
  ['EPROTO', 'TlsUntrusted'],
])('connectionError reports %s as %s', (code, reason) => {
  const thrown = systemError(code);
  const error = connectionError(thrown, url);
  expect(error).toMatchObject({ reason, cause: thrown });
  expect(error.message).toContain(code);
  expect(error.message).toContain('vault.test:8443');
  expect(error.message).not.toMatch(/user|pw|sig=/);
});

test.each(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'])(
  'connectionError suggests checking the clock for %s',
  (code) => {
    expect(connectionError(systemError(code), url).message).toContain('clock');
  },
);
