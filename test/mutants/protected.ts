/**
 * Files below src/agent in which a mistake would reveal a secret, lose a file or assume consent.
 *
 * A file is listed here once each of its mutants is caught by a test or judged harmless.
 */
export const protectedFiles = [
  'clouds/jwt.ts',
  'engine/json.ts',
  'engine/own-file.ts',
  'engine/pem.ts',
  'engine/printable.ts',
  'engine/redirects.ts',
  'engine/secret.ts',
  'settings/consents.ts',
  'settings/named-files.ts',
  'settings/plain-http.ts',
  'settings/yaml-bounds.ts',
  'settings/yaml.ts',
  'clouds/own-hosts.ts',
  'clouds/detect.ts',
  'clouds/metadata-request.ts',
  'clouds/oracle/federation.ts',
  'clouds/oracle/identity.ts',
  'clouds/oracle/imds-request.ts',
  'clouds/oracle/imds.ts',
  'clouds/oracle/instance-certificates.ts',
  'clouds/oracle/signature.ts',
  'parts/network/nat/kept-ranges.ts',
  'parts/network/nat/nat-files.ts',
  'parts/network/nat/nat-removed.ts',
  'parts/network/nat/nat-rules.ts',
  'parts/network/nat/nat.ts',
  'parts/registry/answer/logins.ts',
  'parts/registry/answer/complaint.ts',
  'parts/registry/answer/request.ts',
  'parts/registry/answer/response.ts',
  'resources/credential.ts',
  'resources/file.ts',
  'host/files/atomic-write.ts',
  'parts/k3s/membership/agent-token.ts',
  'parts/k3s/membership/ca-pin.ts',
  'parts/k3s/membership/ca.ts',
  'parts/registry/containerd-pulls.ts',
  'parts/registry/credential-status.ts',
  'parts/registry/former-logins.ts',
  'parts/k3s/membership/join-token.ts',
  'parts/k3s/membership/joined-cluster.ts',
  'parts/k3s/membership/renewed-token.ts',
  'parts/k3s/membership/rotation-record.ts',
  'parts/k3s/membership/server-password.ts',
  'parts/registry/login-store.ts',
  'parts/registry/registries-yaml.ts',
  'parts/registry/settings-rules.ts',
  'parts/k3s/membership/kept-role.ts',
  'parts/k3s/membership/role-change.ts',
  'parts/k3s/membership/server-change.ts',
  'parts/k3s/config/settings-change.ts',
  'parts/k3s/settings-rules.ts',
  'parts/k3s/membership/token.ts',
] as const;

/**
 * The tests that run against each mutant: the tests of the protected files, of registries.yaml and its renewal, and of
 * the real Host.
 */
export const tests = [
  ...protectedFiles.map((file) => `test/unit/agent/${file.replace(/ts$/, 'test.ts')}`),
  'test/unit/agent/parts/registry/registries-file.test.ts',
  'test/unit/agent/parts/registry/renewal.test.ts',
  'test/contract/host.test.ts',
  'test/integration/host/files.test.ts',
];
