import { describe, expect, test } from 'vitest';
import { clouds } from '../../../../../../../src/agent/clouds/index.ts';
import { findCause, lastWords } from '../../../../../../../src/agent/parts/k3s/service/journal/find-cause.ts';

const line = (level: string, message: string) =>
  `time="2026-08-01T10:00:00Z" level=${level} msg=${JSON.stringify(message)}`;
const waiting = (why: string) =>
  line('info', `Waiting to retrieve agent configuration; server is not ready: ${why}`);
const invalid = (why: string) =>
  line('error', `Failed to validate connection to cluster at https://10.0.0.4:6443: ${why}`);

describe('findCause', () => {
  test('finds none while K3s starts etcd', () => {
    const log = line('info', 'Failed to test etcd connection: etcd datastore is not started');
    expect(findCause(log, 'server', clouds.static.hints)).toBeUndefined();
  });

  test.each([
    // From getNodeNamedCrt, called in the loop of Get in pkg/agent/config/config.go
    [
      'agent',
      waiting(
        "Node password rejected, duplicate hostname or contents of '/etc/rancher/node/password' may not match server node-passwd entry, try enabling a unique node name with the --with-node-id flag",
      ),
      'NodePasswordRejected',
    ],
    // From stageAndRun in cmd/k3s/main.go, with an empty and with a missing bin/k3s, and from get in
    // pkg/agent/config/config.go
    ['server', line('fatal', 'exec format error'), 'ServiceFailed'],
    ['agent', line('fatal', 'exec: "k3s-agent": executable file not found in $PATH'), 'ServiceFailed'],
    [
      'agent',
      waiting('failed to find host-local: exec: "host-local": executable file not found in $PATH'),
      'ServiceFailed',
    ],
    // From validateCAHash in pkg/clientaccess/token.go, called in a loop in pkg/agent/run.go
    [
      'agent',
      invalid('token CA hash does not match the Cluster CA certificate hash: aa != bb'),
      'TokenCaMismatch',
    ],
    // From pkg/cluster/storage.go, getBootstrapKeyFromStorage, through pkg/cli/server/server.go
    [
      'server',
      line(
        'fatal',
        'Error: preparing server: bootstrap data already found and encrypted with different token',
      ),
      'DatastoreTokenMismatch',
    ],
    // From pkg/etcd/etcd.go, Test, while a joining server catches up
    [
      'server',
      line(
        'info',
        'Failed to test etcd connection: this server has not yet been promoted from learner to voting member',
      ),
      'EtcdJoining',
    ],
    // From pkg/cluster/storage.go, normalizeToken
    [
      'server',
      line(
        'fatal',
        'starting kubernetes: failed to normalize token; must be in format K10<CA-HASH>::<USERNAME>:<PASSWORD> or <PASSWORD>',
      ),
      'SecretEmpty',
    ],
    // From pkg/cluster/bootstrap.go, for a joining server
    [
      'server',
      line(
        'fatal',
        'starting kubernetes: preparing server: critical configuration value mismatch: cluster-cidr',
      ),
      'K3sConfigInvalid',
    ],
    // From urfave/cli, through cmd/agent/main.go
    ['agent', 'Incorrect Usage: flag provided but not defined: -cluster-init', 'K3sConfigInvalid'],
    // From pkg/configfilearg/parser.go, MustParse
    [
      'agent',
      line('fatal', 'yaml: line 3: mapping values are not allowed in this context'),
      'K3sConfigInvalid',
    ],
    // From kubelet, pkg/credentialprovider/plugin/plugin.go, RegisterCredentialProviderPlugins
    [
      'agent',
      'Error: failed to run Kubelet: Failed to register CRI auth plugins: plugin binary executable slipway did not exist',
      'ServiceFailed',
    ],
    // From registries.GetPrivateRegistries, called in the loop of Get in pkg/agent/config/config.go
    [
      'agent',
      waiting('yaml: unmarshal errors:\n  line 2: cannot unmarshal !!str `x` into registries.Registry'),
      'RegistriesInvalid',
    ],
    ['server', waiting('yaml: line 4: did not find expected key'), 'RegistriesInvalid'],
    // From pkg/agent/config/config.go, getConfig on HTTP 401
    [
      'agent',
      waiting(
        'failed to retrieve configuration from server: https://127.0.0.1:6444/v1-k3s/config: 401 Unauthorized',
      ),
      'TokenRejected',
    ],
    // From crypto/x509, through pkg/clientaccess/token.go, for an agent of a rebuilt server
    [
      'agent',
      invalid(
        'failed to get CA certs: Get "https://127.0.0.1:6444/cacerts": tls: failed to verify certificate: x509: certificate signed by unknown authority',
      ),
      'ServerChanged',
    ],
    // From pkg/agent/config/config.go, getConfig on HTTP 503
    ['agent', waiting('https://127.0.0.1:6444/v1-k3s/config: 503 Service Unavailable'), 'ServerNotReady'],
    // From pkg/agent/run.go, createProxyAndValidateToken
    [
      'agent',
      invalid('failed to get CA certs: Get "https://127.0.0.1:6444/cacerts": EOF'),
      'ServerUnreachable',
    ],
    // From a real K3s 1.36, about a fault of its own node
    [
      'agent',
      waiting('"overlayfs" snapshotter cannot be enabled for "/var/lib/rancher/k3s/agent/containerd"'),
      'ServiceFailed',
    ],
    [
      'server',
      waiting('"overlayfs" snapshotter cannot be enabled for "/var/lib/rancher/k3s/agent/containerd"'),
      'ServiceFailed',
    ],
    ['server', waiting('open /var/lib/rancher/k3s/agent/client-ca.crt: permission denied'), 'ServiceFailed'],
    [
      'agent',
      line(
        'fatal',
        'Error: failed to retrieve agent configuration: yaml: unmarshal errors:\n  line 1: cannot unmarshal',
      ),
      'RegistriesInvalid',
    ],
    ['agent', invalid('invalid token CA hash length'), 'SecretEmpty'],
    ['agent', line('fatal', 'Error: invalid value "x" for flag -v: parse error'), 'K3sConfigInvalid'],
    [
      'server',
      line(
        'error',
        'Shutdown request received: "kubelet exited: kubelet is configured to not run on a host using cgroup v1"',
      ),
      'ServiceFailed',
    ],
    [
      'agent',
      'E1101 12:00:00.000000    4711 server.go:250] "Failed to register CRI auth plugins" err="plugin binary executable  did not exist"',
      'ServiceFailed',
    ],
    [
      'server',
      'E1101 12:00:00.000000    4711 kubelet.go:1703] "Failed to start ContainerManager" err="[invalid kernel flag: kernel/panic, expected value: 10, actual value: 1]"',
      'ServiceFailed',
    ],
    [
      'agent',
      waiting('Get "https://127.0.0.1:6444/v1-k3s/config": read: connection reset by peer'),
      'ServerNotReady',
    ],
    [
      'agent',
      waiting('failed to retrieve configuration from server: runtime core not ready'),
      'ServerNotReady',
    ],
    // From pkg/util/file.go, ReadFile
    [
      'server',
      line('info', 'Waiting for file "/var/lib/slipway/join-token" to be created'),
      'ServiceStarting',
    ],
  ] as const)('finds $2 on %s in: %s', (command, log, reason) => {
    const cause = findCause(`${line('info', 'Starting k3s')}\n${log}\n`, command, clouds.azure.hints);
    expect(cause?.reason).toBe(reason);
    expect(cause?.message).toMatch(/^K3s says: ".+"\. .+\.$/s);
  });

  test.each([
    ['server', waiting('failed to get CA certs: Get "https://127.0.0.1:6444/cacerts": EOF')],
    ['server', waiting('failed to retrieve configuration from server: starting')],
    ['server', waiting('Get "https://127.0.0.1:6443/v1-k3s/config": context deadline exceeded')],
    ['agent', line('fatal', 'Error: failed to retrieve agent configuration: context canceled')],
    ['agent', line('info', 'Running load balancer k3s-agent-load-balancer 127.0.0.1:6444')],
    ['agent', ''],
  ] as const)('finds no cause on %s in: %s', (command, log) => {
    expect(findCause(log, command, clouds.azure.hints)).toBeUndefined();
  });

  test.each(['exec format error', 'exec: "k3s-server": executable file not found in $PATH'])(
    'advises deleting unpacked files that K3s cannot run: %s',
    (words) => {
      expect(findCause(line('fatal', words), 'server', clouds.azure.hints)?.message).toContain(
        'rm -r /var/lib/rancher/k3s/data/',
      );
    },
  );

  test('ignores the error of a container that is built for another processor', () => {
    const log = `E1101 12:00:00.000000    4711 pod_workers.go:1301] "Error syncing pod" err="exec /app: exec format error"`;
    expect(findCause(log, 'server', clouds.azure.hints)).toBeUndefined();
  });

  test('returns the newest of several causes', () => {
    const log = [invalid('failed to get CA certs: EOF'), waiting('x: 503 Service Unavailable')].join('\n');
    expect(findCause(log, 'agent', clouds.azure.hints)?.reason).toBe('ServerNotReady');
  });

  test.each([
    ['azure', 'and that the network security group lets TCP 6443 pass.'],
    ['static', 'and that every firewall on the way lets TCP 6443 pass.'],
  ] as const)('names the firewall of the cloud %s in its advice', (cloud, words) => {
    const log = invalid('failed to get CA certs: EOF');
    expect(findCause(log, 'agent', clouds[cloud].hints)?.message).toContain(words);
  });

  test('quotes the message of K3s, unescaped and truncated', () => {
    const cause = findCause(invalid(`"quoted" ${'x'.repeat(400)}`), 'agent', clouds.azure.hints);
    expect(cause?.message).toContain('6443: "quoted" xxx');
    expect(cause?.message.length).toBeLessThan(450);
  });
});

test.each([
  ['', undefined],
  [`${line('info', 'a')}\n${line('fatal', 'b')}\n${line('info', 'c')}\n`, 'b'],
  [
    `a\nError: listen tcp :6443: bind: address already in use\n`,
    'Error: listen tcp :6443: bind: address already in use',
  ],
  ['a\nb\n', 'b'],
  ['time="x" level=error msg=bare', 'bare'],
  ['E1101 12:00:00.000000    4711 server.go:250] "Failed" err="x"\nlast\n', '"Failed" err="x"'],
])('lastWords of %j returns %j', (log, expected) => {
  expect(lastWords(log)).toBe(expected);
});

describe('a line that quotes the endpoint of a datastore is shown without the password', () => {
  const failed = (what: string) =>
    line('fatal', `starting kubernetes: preparing server: creating storage endpoint: ${what}`);
  const parse =
    'failed to parse datastore DSN URL; ensure that parameters containing special characters use percent-encoding: parse';

  test.each([
    // From net/url, Parse, with a slash and with a bad escape in the password
    failed(`${parse} "postgres://k3s:canary/x@db/k3s": invalid port ":canary" after host`),
    failed(`${parse} "postgres://k3s:canary%zz@db/k3s": invalid URL escape "%zz"`),
    failed(`parse "postgres://k3s:can^canary@db/k3s": net/url: invalid userinfo`),
    failed('cannot dial mysql://k3s:canary@tcp(db:3306)/k3s'),
    failed('cannot dial k3s:canary/with@sign@tcp(db:3306)/k3s'),
    failed('cannot dial nats://k3s:canary@db:4222'),
  ])('%s', (log) => {
    const shown = `${findCause(log, 'server', clouds.azure.hints)?.message} ${lastWords(log)}`;
    expect(shown).not.toContain('canary');
    expect(shown).toContain('‹redacted›');
  });
});
