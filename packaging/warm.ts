/** Runs the program as a node would, then writes V8's code cache of all that was compiled: PROGRAM ROOT CACHE. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { loadProgram } from '../src/launcher/program.ts';

const [program = '', root = '', cache = ''] = process.argv.slice(2);
/** Where nothing answers. */
const nowhere = '127.0.0.1:9';

// What is applied goes below ROOT, and no command of this machine is found.
process.env.PATH = '/nowhere';
// What V8 does in the background leaves traces in the cache: the compilers after the first a mark on a function, the
// garbage collector old bytes in padding.
const background = [
  'sparkplug',
  'maglev',
  'turbofan',
  'flush-bytecode',
  'incremental-marking',
  'memory-reducer',
];
for (const name of background) setFlagsFromString(`--no-${name}`);
process.stdout.write = () => true;
process.stderr.write = () => true;
writeSettings(await startMetadataService());
const { exports, script } = loadProgram(readFileSync(program));
for (const command of ['--help', 'config', 'plan', 'apply --timeout 0.001', 'status']) {
  const commandLine = command === '--help' ? [command] : [...command.split(' '), '--root', root];
  await exports.main([process.execPath, 'slipway', ...commandLine]);
}
// Kubelet's credential provider as it is right after a boot, on the way of the first pull.
await exports.freshLogins('warm.azurecr.io', root).catch(() => {});
// As they were, since the cache is bound to the flags of this moment.
for (const name of background) setFlagsFromString(`--${name}`);
writeFileSync(cache, script.createCachedData());
// Whatever the runs found, and whatever they left waiting.
process.exit(0);

/** An agent of Azure that gets as far as its vault. */
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

/** Answers as Azure's instance metadata service does, and resolves to its address. */
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
