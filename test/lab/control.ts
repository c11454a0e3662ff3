/**
 * Implements `npm run lab`: brings up a platform, or sends a command to the lab that runs with `--keep` (see
 * controls.ts).
 */
import { parseArgs } from 'node:util';
import { control } from './controls.ts';
import { findPlatform, platforms } from './platforms/index.ts';
import { servers } from './platforms/servers.ts';
import { labDir, showPlatform } from './show-platform.ts';

const names = Object.values(platforms).map(({ name }) => name);
const joining = Object.values(platforms).flatMap(({ name, joinedBy }) =>
  joinedBy.length > 0 ? [`  ${name}: --joined-by ${joinedBy.join('|')}; by default the first`] : [],
);

const usage = `npm run lab -- platform ${names.join('|')} [--keep]
  brings up the platform from its examples, without root and network; --keep runs it until Ctrl-C
${joining.join('\n')}

npm run lab -- servers 3|5 [--keep]
  brings up servers with a real etcd and an agent (needs Debian's etcd-server and etcd-client), in some seven minutes

npm run lab -- COMMAND, while a platform or npm start runs with --keep:
  daemon NODE stop|start|reload  what systemctl does to slipway.service on a VM
  upgrade VERSION [broken]       publishes a release of K3s, which all nodes then want; a broken one ends at its start
  tag NODE NAME=VALUE            azure, oracle, servers: sets an instance tag
  secret NAME                    azure, oracle: stores another random value in the vault
  role NODE off|on               azure: takes the role AcrPull from a VM's identity, or gives it back
  event NODE TYPE                azure: announces an event, such as Reboot or Preempt; none ends it
  power NODE off|on              servers: cuts the power of a VM, or boots it
  recreate NODE                  servers: creates a VM again with an empty disk
  registry closed|open           azure: has the registry's firewall refuse this network, or no longer
`;

const [command, ...args] = process.argv.slice(2);

if (command === undefined) {
  process.stdout.write(usage);
} else if (command === 'platform') {
  await platform(args).catch((thrown) => refuse(thrown instanceof Error ? thrown.message : String(thrown)));
} else if (command === 'servers') {
  await severalServers(args).catch((thrown) =>
    refuse(thrown instanceof Error ? thrown.message : String(thrown)),
  );
} else {
  const answer = await control(labDir, [command, ...args]).catch(() => undefined);
  if (answer === undefined) {
    refuse('No lab runs with --keep.');
  } else {
    process.stdout.write(answer);
  }
}

async function platform(words: readonly string[]): Promise<void> {
  const { name, keep, joinedBy } = parsed(words);
  const found = findPlatform(name);
  if (!found) {
    refuse(`A platform is ${names.join(', ')}, not ${name ?? 'nothing'}.`);
  } else if (joinedBy !== undefined && !found.joinedBy.includes(joinedBy)) {
    refuse(`The nodes of ${found.name} cannot be joined by ${joinedBy}.`);
  } else {
    const command = ['npm run lab -- platform', found.name, ...(joinedBy ? ['--joined-by', joinedBy] : [])];
    await showPlatform(found, { keep, command: command.join(' '), ...(joinedBy && { joinedBy }) });
  }
}

async function severalServers(words: readonly string[]): Promise<void> {
  const { name: count = '', keep } = parsed(words);
  if (!['3', '5'].includes(count)) {
    refuse(`The lab brings up 3 or 5 servers, not ${count || 'nothing'}.`);
  } else {
    await showPlatform(servers(Number(count)), { keep, command: `npm run lab -- servers ${count}` });
  }
}

function parsed(words: readonly string[]) {
  const options = { keep: { type: 'boolean', default: false }, 'joined-by': { type: 'string' } } as const;
  const { values, positionals } = parseArgs({ args: [...words], options, allowPositionals: true });
  return { name: positionals.join(' ') || undefined, keep: values.keep, joinedBy: values['joined-by'] };
}

function refuse(message: string): void {
  process.stderr.write(`${message}\n${usage}`);
  process.exitCode = 1;
}
