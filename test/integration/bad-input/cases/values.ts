import { type Case, canary } from '../world.ts';

type Row = readonly [yaml: string, path: string, problem: RegExp, repair: RegExp];

/** Settings with keys that are unknown or not allowed. */
const keys: readonly Row[] = [
  [
    'registries: { server: [] }',
    'registries.server',
    /is not a setting/,
    /did you mean `registries\.servers`\?/,
  ],
  ['version: v1', 'version', /is not a setting/, /did you mean `tags\.version`, `k3s\.version` or/],
  ['frobnicate: 1', 'frobnicate', /is not a setting/, /known here: cloud, role/],
  [
    `registries: { configs: { a.io: { auth: { pasword: ${canary} } } } }`,
    'registries.configs."a.io".auth.pasword',
    /is not a setting/,
    /did you mean `registries\.configs\."a\.io"\.auth\.password`\?/,
  ],
  [
    'k3s: { config: { flanel-backend: x } }',
    'k3s.config.flanel-backend',
    /is not a key of k3s/,
    /`flannel-backend`\?/,
  ],
  [
    'role: agent\nk3s: { config: { tls-san: [a] } }',
    'k3s.config.tls-san',
    /not of k3s agent/,
    /leave it out/,
  ],
  [
    `k3s: { config: { token: ${canary} } }`,
    'k3s.config.token',
    /is Slipway's own/,
    /set joinToken\.secretName/,
  ],
  [
    `k3s: { config: { vpn-auth: ${canary} } }`,
    'k3s.config.vpn-auth',
    /may hold a secret/,
    /put it into a file of mode 0600/,
  ],
  [
    'registries: { mirrors: { "https://a.io": {} } }',
    'registries.mirrors."https://a.io"',
    /its name must be the bare host name/,
    /leave out https/,
  ],
];

/** Settings with empty values and values of the wrong type. */
const kinds: readonly Row[] = [
  ['joinToken: { attempts: many }', 'joinToken.attempts', /must be a whole number/, /without quotes/],
  ['joinToken: { attempts: 1.5 }', 'joinToken.attempts', /must be a whole number/, /without quotes/],
  ['consent: { tokenChange: "yes" }', 'consent.tokenChange', /must be a list/, /such as \["3f2a9c1b2d4e"\]/],
  ['consent: { tokenChange: [1] }', 'consent.tokenChange', /must be a list/, /such as \["3f2a9c1b2d4e"\]/],
  [`registries: { servers: ${canary} }`, 'registries.servers', /must be a list/, /write it as \[value\]/],
  [
    `registries: { servers: { a: ${canary} } }`,
    'registries.servers',
    /must be a list/,
    /begin each item with a dash/,
  ],
  [`log: ${canary}`, 'log', /must be a map of keys and values/, /such as \{ key: value \}/],
  [`role: [${canary}]`, 'role', /must be text/, /put it in quotes/],
  ['role: ""', 'role', /must not be empty/, /give it a value, or leave it out/],
  ['static: { tags: { a: 1.36 } }', 'static.tags.a', /must be text/, /put it in quotes/],
  [
    `k3s: { config: { disable: { a: ${canary} } } }`,
    'k3s.config.disable',
    /must be text, a number, true or false/,
    /or a list of these/,
  ],
  ['k3s: { config: { debug: perhaps } }', 'k3s.config.debug', /must be/, /true or false/],
];

/** Settings with strings in the wrong format. */
const forms: readonly Row[] = [
  [
    `network: { proxy: "http://me:${canary}@proxy:3128" }`,
    'network.proxy',
    /must be a URL/,
    /without user name, password/,
  ],
  ['network: { proxy: "proxy:3128" }', 'network.proxy', /must be a URL/, /such as https/],
  [
    'azure: { keyVault: { url: "http://v" } }',
    'azure.keyVault.url',
    /must be an https:\/\/ URL/,
    /such as https/,
  ],
  [
    'azure: { keyVault: { name: my.vault } }',
    'azure.keyVault.name',
    /must be the name of a Key Vault/,
    /azure\.keyVault\.url/,
  ],
  [
    'azure: { identity: { clientId: mine } }',
    'azure.identity.clientId',
    /must be a client id/,
    /such as 11111111/,
  ],
  ['azure: { environment: germany }', 'azure.environment', /must be/, /public, usgovernment or china/],
  [
    'joinToken: { interval: 10 }',
    'joinToken.interval',
    /must be a duration/,
    /such as 10s, 5m or 2h; write it as text/,
  ],
  ['joinToken: { interval: 10 seconds }', 'joinToken.interval', /must be a duration/, /such as 10s/],
  [
    'joinToken: { secretName: k3s token }',
    'joinToken.secretName',
    /must be a secret name/,
    /letters, digits, dashes, underscores, dots and slashes/,
  ],
  [
    'registries: { schedule: "@hourly" }',
    'registries.schedule',
    /must be five cron fields/,
    /such as '0 \*\/2 \* \* \*'/,
  ],
  ['registries: { schedule: "0 0 31 2 *" }', 'registries.schedule', /whose day exists/, /such as '0/],
  ['k3s: { version: latest }', 'k3s.version', /must be a K3s release/, /such as v1\.36\.3\+k3s1/],
  ['k3s: { version: 1.36 }', 'k3s.version', /must be a K3s release/, /write it as text/],
  ['k3s: { server: 10.0.0.256 }', 'k3s.server', /must have a valid address/, /such as 10\.0\.0\.4/],
  [
    'k3s: { server: "http://10.0.0.4" }',
    'k3s.server',
    /must be a host name, an address or an https URL/,
    /such as/,
  ],
  [
    'registries: { proof: [alpine] }',
    'registries.proof[0]',
    /must be an image with its registry and tag/,
    /such as/,
  ],
  [
    'registries: { servers: ["https://a.io"] }',
    'registries.servers[0]',
    /must be a bare host name/,
    /leave out https/,
  ],
  [
    'registries: { servers: [a.io/team] }',
    'registries.servers[0]',
    /must be a bare host name/,
    /and any path/,
  ],
  [
    'registries: { mirrors: { a.io: { endpoint: [b.io] } } }',
    'registries.mirrors."a.io".endpoint[0]',
    /must be a URL/,
    /such as/,
  ],
  ['node: { labels: [team] }', 'node.labels[0]', /must be a label/, /such as team=web/],
  [
    'node: { labels: ["kubernetes.io/role=x"] }',
    'node.labels[0]',
    /kubelet may not give itself/,
    /use another prefix/,
  ],
  [
    'node: { taints: ["a=b:Never"] }',
    'node.taints[0]',
    /must be a taint/,
    /such as dedicated=gpu:NoSchedule/,
  ],
  ['node: { name: My_Node }', 'node.name', /must be a Kubernetes node name/, /lower-case letters, digits/],
  ['node: { ip: 10.0.0.256 }', 'node.ip', /must be an IP address/, /such as 10\.0\.0\.4/],
  [
    'network: { noProxy: ["*.a.io"] }',
    'network.noProxy[0]',
    /must be a host name, an address/,
    /such as 10\.0\.0\.0\/8/,
  ],
  [
    'imds: { allow: [{ name: a, from: pods }] }',
    'imds.allow[0].from',
    /must be an IPv4 address/,
    /such as 10\.42/,
  ],
  [
    'gitops: { flux: { path: ../up } }',
    'gitops.flux.path',
    /must be a path inside the repository/,
    /without \.\./,
  ],
  [
    `gitops: { flux: { url: "https://a.io/r?t=${canary}" } }`,
    'gitops.flux.url',
    /must be the https:\/\/ URL/,
    /without a user name, password or query/,
  ],
  [
    'k3s: { releaseUrl: "http://mirror.example/k3s" }',
    'k3s.releaseUrl',
    /is plain http: anyone between this node and mirror\.example could replace K3s/,
    /use https, or add `consent: \{ plainHttp: \[http:\/\/mirror\.example\/k3s\] \}`/,
  ],
  ['gitops: { flux: { version: v2 } }', 'gitops.flux.version', /must be a Flux release/, /such as 2\.9\.4/],
  [
    `gitops: { flux: { branch: "a\\n${canary}" } }`,
    'gitops.flux.branch',
    /must not hold a line break/,
    /take it out/,
  ],
];

/** Settings with values out of range. */
const ranges: readonly Row[] = [
  ['joinToken: { attempts: 0 }', 'joinToken.attempts', /must be above zero/, /such as 30/],
  ['joinToken: { attempts: 1e300 }', 'joinToken.attempts', /must be at most/, /9007199254740991/],
  ['joinToken: { interval: 0s }', 'joinToken.interval', /must be a duration above zero/, /such as 10s/],
  ['joinToken: { interval: 9999h }', 'joinToken.interval', /must be at most/, /30 days \(720h\)/],
  ['joinToken: { verifyEvery: 5s }', 'joinToken.verifyEvery', /a minute or more/, /such as 5m or 2h/],
  [
    'imds: { allow: [{ name: a, uid: 0 }] }',
    'imds.allow[0].uid',
    /must be above zero/,
    /root is always let through/,
  ],
  [
    'imds: { allow: [{ name: a, uid: 4294967295 }] }',
    'imds.allow[0].uid',
    /must be a user id/,
    /at most 4294967294/,
  ],
];

/** Settings that contradict each other or are incomplete. */
const contradictions: readonly Row[] = [
  [
    'azure: { keyVault: { name: abc, url: "https://a.io" } }',
    'azure.keyVault.url',
    /cannot go with azure\.keyVault\.name/,
    /keep one/,
  ],
  [
    'joinToken: { agentSecretName: k3s-token }',
    'joinToken.agentSecretName',
    /the same secret as/,
    /leave this out/,
  ],
  [
    `registries: { servers: [a.io], configs: { a.io: { auth: { password: ${canary} } } } }`,
    'registries.configs."a.io".auth',
    /is written by Slipway/,
    /leave this out, or take the registry off/,
  ],
  [
    'registries: { servers: [a.io], proof: ["b.io/c:1"] }',
    'registries.proof[0]',
    /not in registries\.servers/,
    /add the registry there/,
  ],
  [
    'registries: { servers: [a.io], mirrors: { a.io: { endpoint: ["https://b.io"] } } }',
    'registries.mirrors."a.io".endpoint[0]',
    /would show the credential of a\.io to b\.io/,
    /take it out, or add `consent: \{ foreignMirrors: \[a\.io=https:\/\/b\.io\] \}` to/,
  ],
  ['imds: { allow: [{ name: a }] }', 'imds.allow[0]', /lets nothing through/, /give it from/],
  [
    'imds: { allow: [{ name: a, uid: 5 }, { name: a, uid: 6 }] }',
    'imds.allow[1]',
    /has the name of imds\.allow\[0\]/,
    /give it another/,
  ],
  ['gitops: { engine: flux }', 'gitops.flux.provider', /is missing/, /set it to github, .*or git/],
  [
    'gitops: { engine: flux, flux: { provider: git, url: "https://a.io/r", path: p, owner: o } }',
    'gitops.flux.owner',
    /does not go with provider git/,
    /leave it out/,
  ],
  [
    'gitops: { engine: flux, flux: { provider: github, owner: o, path: p } }',
    'gitops.flux.repository',
    /is missing/,
    /set it, as provider github needs/,
  ],
];

/** Settings with unfilled template variables. */
const unfilled: readonly Row[] = [
  [
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a literal template variable
    'azure: { keyVault: { name: "${vault}" } }',
    'azure.keyVault.name',
    /variable \$\{vault\} was not filled in/,
    /templatefile/,
  ],
  [
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a literal template variable
    'azure: { keyVault: { name: ${vault} } }',
    'line 1',
    /variable \$\{vault\} was not filled in/,
    /templatefile/,
  ],
];

/** Invalid settings; each row is a whole settings file. */
export const values: readonly Case[] = [keys, kinds, forms, ranges, contradictions, unfilled]
  .flat()
  .map(([yaml, path, problem, repair]) => ({
    name: yaml,
    args: ['config', '--root', '{root}', '--cloud', 'static'],
    files: { 'etc/slipway/config.yaml': yaml },
    source: `InvalidSettings: {root}/etc/slipway/config.yaml: ${path}: `,
    problem,
    repair,
  }));
