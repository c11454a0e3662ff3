import { describe, expect, test } from 'vitest';
import { powerfulVariables, withoutVariables } from '../../../src/launcher/environment.ts';

describe('powerfulVariables', () => {
  test.each([
    ...[
      'NODE_OPTIONS',
      'NODE_TLS_REJECT_UNAUTHORIZED',
      'NODE_V8_COVERAGE',
      'NODE_EXTRA_CA_CERTS',
      'NODE_DEBUG',
    ],
    ...['OPENSSL_CONF', 'OPENSSL_MODULES', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'SSLKEYLOGFILE'],
    ...[
      'IDENTITY_ENDPOINT',
      'IDENTITY_HEADER',
      'IDENTITY_SERVER_THUMBPRINT',
      'IMDS_ENDPOINT',
      'MSI_ENDPOINT',
    ],
    ...[
      'AZURE_CLIENT_ID',
      'AZURE_POD_IDENTITY_AUTHORITY_HOST',
      'AZURE_LOG_LEVEL',
      'DEFAULT_IDENTITY_CLIENT_ID',
    ],
    ...['MSAL_FORCE_REGION', 'REGION_NAME', 'DEBUG', 'LOG_TOKENS'],
  ])('returns the name of a powerful variable: %s', (name) => {
    expect(powerfulVariables({ [name]: 'x', HOME: '/root' })).toEqual([name]);
  });

  test.each([
    ...[
      'PATH',
      'HOME',
      'LANG',
      'TERM',
      'NO_COLOR',
      'NODE_ENV',
      'NODE_NAME',
      'NODENAME',
      'HTTPS_PROXY',
      'MY_AZURE_THING',
    ],
    ...['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID', 'INVOCATION_ID', 'JOURNAL_STREAM', 'MAINPID'],
    ...['STATE_DIRECTORY', 'RUNTIME_DIRECTORY', 'MALLOC_TRIM_THRESHOLD_', 'DEBUG_COLORS'],
  ])('does not return the name of a harmless variable: %s', (name) => {
    expect(powerfulVariables({ [name]: 'x' })).toEqual([]);
  });

  test('returns the names sorted', () => {
    expect(powerfulVariables({ NODE_PATH: '', AZURE_CLIENT_ID: '' })).toEqual([
      'AZURE_CLIENT_ID',
      'NODE_PATH',
    ]);
  });
});

test('withoutVariables removes the named variables and keeps the others', () => {
  const environment = { PATH: '/bin', NODE_PATH: '/evil', HOME: undefined };
  expect(withoutVariables(environment, ['NODE_PATH'])).toEqual({ PATH: '/bin' });
});
