import { type Case, canary } from '../world.ts';

/** Returns the arguments and files of a case that runs a command on a VM with these tags. */
function tagged(command: string, tags: string): Pick<Case, 'args' | 'files'> {
  return {
    args: [command, '--root', '{root}', '--cloud', 'static', '--facts', '{root}/facts.yaml'],
    files: { 'facts.yaml': `tags: { ${tags} }` },
  };
}

/** Invalid and missing instance tags, and an invalid computer name. */
export const tags: readonly Case[] = [
  ...['plan', 'apply', 'config'].map((command) => ({
    name: `an unknown role, for ${command}`,
    ...tagged(command, 'k3s-role: sevrer'),
    source: /\(tag k3s-role\)/,
    problem: /RoleUnknown: "sevrer" .* is not a role/,
    repair: /Did you mean server\? Set it to one of: server, agent, observability/,
    ...(command === 'config' && { stdout: /^role: sevrer +# tag k3s-role$/m }),
  })),
  {
    name: 'a misspelt tag name',
    ...tagged('plan', 'k3s-roel: server'),
    source: /The tag k3s-roel/,
    problem: /is not read/,
    repair: /did you mean k3s-role\?/,
  },
  ...['plan', 'apply'].map((command) => ({
    name: `no tags, for ${command}`,
    ...tagged(command, ''),
    source: /the instance tag k3s-role/,
    problem: /This VM has no role/,
    repair: /Set .* to one of: server, agent, observability/,
  })),
  {
    name: 'no role while tags.role is false',
    ...tagged('plan', 'k3s-role: server'),
    files: { 'facts.yaml': 'tags: { k3s-role: server }', 'etc/slipway/config.yaml': 'tags: { role: false }' },
    source: /role in the settings \(tags\.role closes the tag\)/,
    problem: /This VM has no role/,
    repair: /Set role .* to one of/,
  },
  ...['plan', 'apply', 'config'].map((command) => ({
    name: `an invalid K3s release, for ${command}`,
    ...tagged(command, 'k3s-role: server, k3s-version: v1.36'),
    source: /InvalidSettings: tag k3s-version: k3s\.version:/,
    problem: /must be a K3s release/,
    repair: /such as v1\.36\.3\+k3s1; they are listed at https/,
    ...(command === 'config' && { stdout: /^k3s\.version: v/m }),
  })),
  {
    name: 'a k3s-server with a password',
    ...tagged('plan', `k3s-role: agent, k3s-server: "https://me:${canary}@10.0.0.4"`),
    source: /tag k3s-server: k3s\.server:/,
    problem: /must be a host name, an address or an https URL without a path/,
    repair: /such as 10\.0\.0\.4/,
  },
  {
    name: 'a k3s-server for a node that is a server, for config',
    ...tagged('config', 'k3s-role: server, k3s-server: 10.0.0.9'),
    source: /the tag k3s-server or k3s\.server names the K3s server https:\/\/10\.0\.0\.9:6443/,
    problem: /ClusterExists: .* With SQLite, a cluster has one server/,
    repair: /Take the tag or setting away from this VM, or give it the role agent/,
    stdout: /^k3s\.server: 10\.0\.0\.9 +# tag k3s-server$/m,
  },
  {
    name: 'an unfilled template variable',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a literal template variable
    ...tagged('plan', 'k3s-role: agent, k3s-server: "${server_ip}"'),
    source: /static\.tags\.k3s-server:/,
    problem: /the template variable \$\{server_ip\} was not filled in/,
    repair: /templatefile/,
  },
  {
    name: 'a computer name that is not a valid node name',
    ...tagged('plan', ''),
    files: { 'facts.yaml': 'tags: { k3s-role: server }\ncomputerName: my_vm' },
    source: /NodeNameInvalid: The computer name "my_vm"/,
    problem: /cannot be a Kubernetes node name/,
    repair: /Set node\.name/,
  },
];
