/**
 * Runs the program as on a node, then writes V8's code cache of all compiled functions; run with the arguments PROGRAM
 * ROOT CACHE.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { loadProgram } from '../src/launcher/program.ts';

const [program = '', root = '', cache = ''] = process.argv.slice(2);
/** An address at which nothing listens. */
const nowhere = '127.0.0.1:9';

// Keeps the program from running commands of this machine: PATH names a directory that does not exist.
process.env.PATH = '/nowhere';
// V8's background work leaves traces in the cache: optimizing compilers mark functions, and the garbage collector
// leaves old bytes in padding.
const background = [
  'sparkplug',
  'maglev',
  'turbofan',
  'flush-bytecode',
  'incremental-marking',
  'memory-reducer',
];
for (const name of background) {
  setFlagsFromString(`--no-${name}`);
}
process.stdout.write = () => true;
process.stderr.write = () => true;
writeSettings(await startMetadataService());
const { exports, script } = loadProgram(readFileSync(program));
for (const command of ['--help', 'config', 'plan', 'apply --timeout 0.001', 'status']) {
  const commandLine = command === '--help' ? [command] : [...command.split(' '), '--root', root];
  await exports.main([process.execPath, 'slipway', ...commandLine]);
}
// Fetches a login, as kubelet's credential provider does if no usable login is stored.
await exports.freshLogins('warm.azurecr.io', root).catch(() => {});
// Restores the flags, because V8 binds the cache to the flags that are set when the cache is made.
for (const name of background) {
  setFlagsFromString(`--${name}`);
}
writeFileSync(cache, script.createCachedData());
// Exits with 0 even if a run failed, and without waiting for open handles.
process.exit(0);

/** Writes the settings of an agent on Azure. With these settings, `apply` gets as far as the request to the vault. */
function writeSettings(imdsEndpoint: string): void {
  const settings = {
    cloud: 'azure',
    role: 'agent',
    azure: { imdsEndpoint, keyVault: { url: `https://${nowhere}` } },
    k3s: { server: '127.0.0.1', releaseUrl: `http://${nowhere}` },
    registries: { servers: ['warm.azurecr.io'] },
    network: { proxy: `http://${nowhere}` },
  };
  for (const place of ['etc/slipway/config.yaml', 'var/lib/slipway/credential-provider.yaml']) {
    mkdirSync(join(root, dirname(place)), { recursive: true });
    writeFileSync(join(root, place), JSON.stringify(settings));
  }
}

/** Starts a stand-in for Azure's instance metadata service, and resolves to its address. */
function startMetadataService(): Promise<string> {
  const compute = {
    name: 'warm',
    vmId: 'warm',
    location: 'warm',
    tagsList: [],
    osProfile: { computerName: 'warm' },
  };
  const networkInterface = { ipv4: { ipAddress: [{ privateIpAddress: '10.0.0.4' }] } };
  const answers = {
    '/metadata/instance': { compute, network: { interface: [networkInterface] } },
    '/metadata/identity': { access_token: 'warm', expires_in: '3599', token_type: 'Bearer' },
  };
  const server = createServer(({ url = '' }, response) => {
    const answer = Object.entries(answers).find(([path]) => url.startsWith(path));
    response
      .writeHead(answer ? 200 : 404, { 'content-type': 'application/json' })
      .end(JSON.stringify(answer?.[1]));
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`);
    });
  });
}
