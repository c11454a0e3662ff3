import { basename } from 'node:path';
import { commandLine } from '../../src/agent/engine/command-line.ts';
import type { Command } from '../../src/agent/engine/host.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import type { FleetNode } from './fleet-node.ts';
import { executable } from './k3s-unit.ts';

const paths = nodePaths('/');

/** Returns the executable that a release has at a URL. */
export function releaseAt(url: string): string {
  return executable(decodeURIComponent(url.split('/').at(-2) ?? ''));
}

/** Returns what a command that only reads prints. Throws for a command that the fleet does not model. */
export function answerOf({ k3s, machine }: FleetNode, command: Command): string {
  const [verb, unit, flag, names = ''] = command.args;
  const program = basename(command.file);
  if (program === 'systemctl' && verb === 'show' && unit === k3s.name && flag === '-p') {
    return k3s.show(names.split(','));
  }
  if (program === 'journalctl') {
    return k3s.journalOf((verb ?? '').replace('_SYSTEMD_INVOCATION_ID=', ''));
  }
  if (verb === '--version') {
    return machine.files.text(command.file) ?? '';
  }
  throw new Error(`the fleet does not model ${commandLine(command)}`);
}

/** Carries out a command that changes something. Throws for a command that the fleet does not model. */
export function execute(node: FleetNode, command: Command): void {
  const { k3s, machine } = node;
  const { files } = machine;
  const line = commandLine(command);
  switch (line) {
    case `systemctl start --no-block ${k3s.name}`:
      k3s.start();
      break;
    case `systemctl restart --no-block ${k3s.name}`:
      restart(node);
      break;
    case `ln --force --no-dereference ${paths.k3s.binary} ${paths.k3s.previous}`:
      files.write(paths.k3s.previous, files.text(paths.k3s.binary) ?? '', 0o755);
      break;
    case 'systemctl reboot':
      node.interrupt('a reboot');
      node.reboots.order();
      break;
    default:
      throw new Error(`the fleet does not model ${line}`);
  }
}

function restart(node: FleetNode): void {
  if (node.k3s.state === 'active') {
    node.interrupt('a restart');
  }
  node.k3s.restart();
}
