/**
 * Where a mistake would show a secret, lose a file or take a consent that was not given: files below src/agent.
 *
 * A file is entered here once each of its survivors is caught by a test or judged.
 */
export const protectedFiles = [
  'core/jwt.ts',
  'core/printable.ts',
  'core/secret.ts',
  'config/consents.ts',
  'config/named-files.ts',
  'config/plain-http.ts',
  'config/registry-rules.ts',
  'config/yaml-bounds.ts',
  'config/yaml.ts',
  'cloud/azure/own-hosts.ts',
  'credential-provider/cached-logins.ts',
  'credential-provider/complaint.ts',
  'credential-provider/request.ts',
  'credential-provider/response.ts',
  'resources/credential.ts',
  'resources/file.ts',
  'host/atomic-write.ts',
  'k3s/agent-token.ts',
  'k3s/ca-pin.ts',
  'k3s/ca.ts',
  'k3s/containerd-logins.ts',
  'k3s/credential-status.ts',
  'k3s/held-login.ts',
  'k3s/join-token.ts',
  'k3s/joined.ts',
  'k3s/logins-cache.ts',
  'k3s/registries-yaml.ts',
  'k3s/role-change.ts',
  'k3s/server-change.ts',
  'k3s/settings-change.ts',
  'k3s/token.ts',
] as const;

/** The tests that mutants are tried on: the own test of each file, and those of the real machine. */
export const tests = [
  ...protectedFiles.map((file) => `test/unit/agent/${file.replace(/ts$/, 'test.ts')}`),
  'test/unit/agent/parts/registry/registries.test.ts',
  'test/contract/host.test.ts',
  'test/integration/host/files.test.ts',
];
